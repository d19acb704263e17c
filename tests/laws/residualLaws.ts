import { flatten, initParams, isParamSpec, keyFromSeed, mapTree, type ParamSpec, type Tree } from "@millrace/core"
import { doubled, halved, type residual, type residualParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectThat, values } from "./close.js"
import { float, grid, real, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** A residual block under test: its parameters and what it computes. */
export interface ResidualUnit {
  readonly params: typeof residualParams
  readonly apply: typeof residual
}

/** Parameters as a training begins with them. */
export const initial = <S extends Tree<ParamSpec>>(specs: S, seed: number): Tree<tf.Tensor> => {
  const made = initParams(flatten<ParamSpec>(specs, isParamSpec), keyFromSeed(seed))
  return mapTree<ParamSpec, tf.Tensor>(specs, isParamSpec, (name) =>
    tf.tensor(made[name]!.data, [...made[name]!.shape]),
  )
}

type Params = Parameters<ResidualUnit["apply"]>[0]

const embedding = 3

/** A block of some size, an image, a time, and how it resizes. */
const blocks = fc
  .record({
    groups: size(1, 2),
    inputs: size(1, 2).map((n) => 2 * n),
    outputs: size(1, 2).map((n) => 2 * n),
    modulation: fc.constantFrom("scale-shift" as const, "add" as const),
    resizing: fc.constantFrom(undefined, "halve" as const, "double" as const),
    seed: size(0, 99),
    y: size(1, 2).map((n) => 2 * n),
  })
  .chain((options) =>
    fc.record({
      options: fc.constant(options),
      image: grid([2, options.y, 2, options.inputs]),
      time: grid([2, embedding]),
    }),
  )

type Block = typeof blocks extends fc.Arbitrary<infer T> ? T : never

const imageOf = ({ options: { y, inputs }, image }: Block): tf.Tensor => float([2, y, 2, inputs], image)
const timeOf = ({ time }: Block): tf.Tensor => float([2, embedding], time)
const optionsOf = ({ options: { groups, modulation, resizing } }: Block) => ({
  groups,
  modulation,
  ...(resizing === undefined ? {} : { resizing }),
})

/** What every residual block of a U-Net obeys. @source Dhariwal and Nichol 2021, section 3 */
export const residualLaws = ({ params, apply }: ResidualUnit): ReadonlyArray<Law> => {
  const specsOf = ({ options: { inputs, outputs, modulation } }: Block) =>
    params(inputs, outputs, embedding, modulation)
  const some = (block: Block): Params => {
    const specs = specsOf(block)
    return tensorsOf(specs, testParams(specs, block.options.seed)) as Params
  }
  const silent = (p: Params): Params => ({
    ...p,
    time: { weight: tf.zerosLike(p.time.weight), bias: tf.zerosLike(p.time.bias) },
  })
  const skipOf = (p: Params, x: tf.Tensor, { options: { resizing } }: Block): tf.Tensor => {
    const resized = resizing === undefined ? x : resizing === "halve" ? halved(x) : doubled(x)
    if (p.skip === undefined) return resized
    return tf.add(tf.conv2d(resized as tf.Tensor4D, p.skip.weight as tf.Tensor4D, 1, "same"), p.skip.bias)
  }

  return [
    law("before training it is its skip", blocks, (block) => {
      const p = initial(specsOf(block), block.options.seed) as Params
      expectClose(apply(p, imageOf(block), timeOf(block), optionsOf(block)), skipOf(p, imageOf(block), block))
    }),
    law("it has half or double the sides where it resizes, and its outputs in channels", blocks, (block) => {
      const { y, outputs, resizing } = block.options
      const factor = resizing === undefined ? 1 : resizing === "halve" ? 0.5 : 2
      const { shape } = apply(some(block), imageOf(block), timeOf(block), optionsOf(block))
      expectThat(shape.join() === [2, y * factor, 2 * factor, outputs].join(), () => `[${shape.join(", ")}]`)
    }),
    law(
      "scaling and shifting a group of its input never changes what it adds to its skip",
      fc.tuple(blocks, grid([2], real(3)), grid([2], real(3))),
      ([block, scales, shifts]) => {
        const { groups, inputs } = block.options
        const each = (by: ReadonlyArray<number>) =>
          float(
            [inputs],
            Array.from({ length: inputs }, (_, c) => by[Math.floor((c * groups) / inputs)]!),
          )
        // A spread of at least 1 in each group keeps epsilon out of it.
        const spread = float(
          [2, block.options.y, 2, inputs],
          block.image.map((v, i) => v + (i % 2 === 0 ? 6 : -6) * (1 + (Math.floor(i / inputs) % 2))),
        )
        const moved = tf.add(tf.mul(spread, each(scales.map((s) => 0.5 + Math.abs(s)))), each(shifts))
        const added = (x: tf.Tensor) =>
          tf.sub(apply(some(block), x, timeOf(block), optionsOf(block)), skipOf(some(block), x, block))
        expectClose(added(moved), added(spread), { absolute: 1e-4 })
      },
    ),
    law("an embedding of which nothing is taken leaves both modulations the same", blocks, (block) => {
      const plain = silent(some(block))
      const c = block.options.outputs
      const other = {
        ...plain,
        time: { weight: tf.zeros([embedding, 2 * c]), bias: tf.zeros([2 * c]) },
      }
      const added = { ...plain, time: { weight: tf.zeros([embedding, c]), bias: tf.zeros([c]) } }
      const [x, time, options] = [imageOf(block), timeOf(block), optionsOf(block)]
      expectClose(
        apply(other, x, time, { ...options, modulation: "scale-shift" }),
        apply(added, x, time, { ...options, modulation: "add" }),
      )
    }),
    law("the result of an image depends on no other image and no other time", blocks, (block) => {
      const [x, time] = [imageOf(block), timeOf(block)]
      const both = apply(some(block), x, time, optionsOf(block))
      const firstImage = tf.slice(x, [0, 0, 0, 0], [1, ...x.shape.slice(1)])
      const one = apply(some(block), firstImage, tf.slice(time, [0, 0], [1, embedding]), optionsOf(block))
      expectClose(values(both).slice(0, one.size), one)
    }),
    law("its image's mirror image gives the mirror image, where its kernels are their own", blocks, (block) => {
      const p = some(block)
      const even = (kernel: tf.Tensor): tf.Tensor => tf.add(kernel, tf.reverse(kernel, 1))
      const mirrored: Params = {
        ...p,
        conv1: { ...p.conv1, weight: even(p.conv1.weight) },
        conv2: { ...p.conv2, weight: even(p.conv2.weight) },
      }
      const [x, time, options] = [imageOf(block), timeOf(block), optionsOf(block)]
      expectClose(apply(mirrored, tf.reverse(x, 2), time, options), tf.reverse(apply(mirrored, x, time, options), 2), {
        absolute: 1e-4,
      })
    }),
  ]
}
