/** A node or a tensor graph with its weights as one file of ONNX. */
import type * as tf from "@tensorflow/tfjs-core"
import { axisNames, parseAxes } from "../axes.js"
import { BadConfig, BadData } from "../errors.js"
import { resolveSizes } from "../graph/resolveSizes.js"
import { isGraph } from "../graph.js"
import { isParamSpec, isPort, type ParamSpec, type TensorNode } from "../node.js"
import type { Sizes } from "../outline.js"
import { captureSync } from "../program/capture.js"
import { optimize } from "../program/passes.js"
import { type DType, type HostTensors, type Specs, sizeOf, spec } from "../tensor.js"
import { flatten, mapTree } from "../tree.js"
import { lower } from "./lower.js"
import { tensorProto, withInitializers } from "./proto.js"

export interface OnnxExportOptions {
  /**
   * Standard operators alone, for runtimes other than ONNX Runtime on a CPU; the default. Without it products may be
   * ONNX Runtime's own fused ones, which are faster there.
   */
  readonly portable?: boolean
}

/** Protocol buffers end here. */
const largest = 2 ** 31 - 1

/** The shapes of a node's inputs. What the nodes inside of a graph fix counts, as it does wherever sizes are resolved. */
const inputSpecs = (node: TensorNode, given: Sizes): Specs => {
  if (isGraph(node)) return resolveSizes(node, given).inputs
  const axes = new Set(Object.values(node.in).flatMap((port) => axisNames(port.axes)))
  const sizes: Sizes = { ...given, ...node.sizes }
  const strange = Object.keys(given).filter((axis) => !axes.has(axis) || sizes[axis] !== given[axis])
  if (strange.length > 0) {
    throw new BadConfig({
      where: node.type,
      expected: `sizes of ${[...axes].join(" ")}, as the config has them where it fixes them`,
      received: strange.map((axis) => `${axis} = ${given[axis]}`).join(", "),
      fix: "leave out what the inputs do not have, and what the config fixes",
    })
  }
  const open = new Set<string>()
  const sizeIn = (factor: string | number): number => {
    if (typeof factor === "number") return factor
    const size = sizes[factor]
    if (size === undefined) open.add(factor)
    return size ?? 1
  }
  const specs = Object.fromEntries(
    Object.entries(node.in).map(([name, port]) => {
      const shape = (parseAxes(port.axes) ?? []).map((axis) => axis.reduce<number>((n, f) => n * sizeIn(f), 1))
      return [name, spec(port.dtype as DType, shape)]
    }),
  )
  if (open.size > 0) {
    throw new BadConfig({
      where: node.type,
      expected: "a size for every axis of the inputs",
      received: `none for ${[...open].join(", ")}`,
      fix: `give sizes: { ${[...open].map((axis) => `${axis}: …`).join(", ")} }`,
    })
  }
  return specs
}

/**
 * A node or graph as the bytes of an `.onnx` file, for Netron and for any runtime that knows opset 21: inputs and
 * outputs by the names of its ports, at fixed sizes, weights inside.
 * @param values  its parameters by flat name
 * @param sizes   of the axes of its inputs that the config leaves open: `{ b: 1, t: 16 }`
 * @throws BadConfig  an axis without a size, or a size for what is no axis or is fixed otherwise; in a graph, ShapeMismatch
 *                     for what nothing binds
 * @throws BadData    a parameter that is missing or has another shape; more than 2 GiB of weights, which the format cannot hold
 */
export const exportOnnx = (
  node: TensorNode,
  values: HostTensors,
  sizes: Sizes = {},
  { portable = true }: OnnxExportOptions = {},
): Uint8Array => {
  const specs = flatten<ParamSpec>(node.params, isParamSpec)
  const wrong = Object.entries(specs).flatMap(([name, { shape }]) => {
    const value = values[name]
    if (value === undefined) return [`${name}: missing`]
    return value.shape.join() === shape.join()
      ? []
      : [`${name}: [${value.shape.join(", ")}], not [${shape.join(", ")}]`]
  })
  const bytes = 4 * Object.values(specs).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  if (bytes > largest) wrong.push(`${bytes} bytes of weights; a file holds ${largest}`)
  if (wrong.length > 0) {
    throw new BadData({
      where: `${node.type} > ONNX`,
      expected: "the node's parameters, in one file",
      received: wrong.join("\n"),
      fix: "give the weights of this very config",
    })
  }
  const program = optimize(
    captureSync({
      name: node.type,
      state: {
        weights: Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, spec("float32", shape)])),
      },
      inputs: inputSpecs(node, sizes),
      body: ({ weights }, inputs) => {
        const results = node.apply(
          mapTree(node.params, isParamSpec, (name) => weights![name]!),
          inputs,
        )
        return { outputs: isPort(node.out) ? { output: results as tf.Tensor } : (results as Record<string, tf.Tensor>) }
      },
    }),
  )
  const lowered = lower(program, { portable, constants: ["weights"] })
  return withInitializers(
    lowered.bytes,
    program.inputs.flatMap(({ slot, name }, i) =>
      slot === null ? [] : [tensorProto(lowered.inputs[i]!, values[name]!)],
    ),
  )
}
