/** Parameters that layers have in common, as specs. */
import { type Init, normal, ones, type ParamSpec, zeros } from "@millrace/core/definitions"

/** A product or a convolution, and a bias: specs, tensors, gradients, whatever stands at the leaves. */
export type Affine<Leaf> = { readonly weight: Leaf; readonly bias: Leaf }

/** Gain and bias of a layer norm, a group norm or a batch norm. */
export type Norm<Leaf> = { readonly gain: Leaf; readonly bias: Leaf }

export const param = (shape: ReadonlyArray<number>, init: Init): ParamSpec => ({ shape, init })

/** Weights of N(0, std), bias 0. */
export const linearOf = (inputs: number, outputs: number, std = 1 / Math.sqrt(inputs)): Affine<ParamSpec> => ({
  weight: param([inputs, outputs], normal(std)),
  bias: param([outputs], zeros),
})

/** Gain 1, bias 0: of a layer norm, a group norm or a batch norm. */
export const normOf = (channels: number, gain: Init = ones): Norm<ParamSpec> => ({
  gain: param([channels], gain),
  bias: param([channels], zeros),
})

/** A square kernel of N(0, 1 / (inputs · size²)), without a bias. */
export const kernelOf = (size: number, inputs: number, outputs: number, init?: Init) => ({
  weight: param([size, size, inputs, outputs], init ?? normal(1 / Math.sqrt(inputs * size * size))),
})

/** The same with a bias of 0. */
export const convOf = (size: number, inputs: number, outputs: number, init?: Init): Affine<ParamSpec> => ({
  ...kernelOf(size, inputs, outputs, init),
  bias: param([outputs], zeros),
})
