/** tfjs kernels that are recorded as several plainer ones. */
import * as tf from "@tensorflow/tfjs-core"
import { einsum } from "./einsum.js"
import { type Attrs, numberOf, numbersOf, pairsOf } from "./shapes.js"

/** A kernel in tfjs operations: the inputs by the names that tfjs gives them. */
export type Expansion = (inputs: Readonly<Record<string, tf.Tensor | undefined>>, attrs: Attrs) => tf.Tensor

/** The activations of tfjs's fused kernels. */
const activate = (x: tf.Tensor, attrs: Attrs, slopes: tf.Tensor | undefined): tf.Tensor => {
  const name = String(attrs.activation ?? "linear")
  if (name === "linear") return x
  if (name === "prelu") return tf.prelu(x, slopes!)
  if (name === "leakyrelu") return tf.leakyRelu(x, numberOf(attrs, "leakyreluAlpha", 0.2))
  const known: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
    relu: tf.relu,
    relu6: tf.relu6,
    elu: tf.elu,
    sigmoid: tf.sigmoid,
  }
  const f = known[name]
  if (f === undefined) throw new Error(`the activation ${name} is not one of ${Object.keys(known).join(", ")}`)
  return f(x)
}

const fusedConvolution =
  (kernel: string): Expansion =>
  ({ x, filter, bias, preluActivationWeights }, attrs) => {
    const { activation: _, leakyreluAlpha: __, ...plain } = attrs
    const product = tf.engine().runKernel<tf.Tensor>(kernel, { x: x!, filter: filter! }, plain as tf.NamedAttrMap)
    const beside = bias !== undefined && bias.rank === 1 && attrs.dataFormat === "NCHW"
    const shift = beside ? tf.reshape(bias, [-1, 1, 1]) : bias
    return activate(shift === undefined ? product : tf.add(product, shift), attrs, preluActivationWeights)
  }

const batchNorm: Expansion = ({ x, mean, variance, offset, scale }, attrs) => {
  const invStd = tf.rsqrt(tf.add(variance!, numberOf(attrs, "varianceEpsilon")))
  const scaled = tf.mul(tf.sub(x!, mean!), scale === undefined ? invStd : tf.mul(invStd, scale))
  return offset === undefined ? scaled : tf.add(scaled, offset)
}

/** Each axis gets its own end mirrored on either side; `symmetric` repeats the edge itself. */
const mirrorPad: Expansion = ({ x }, attrs) =>
  pairsOf(attrs, "paddings").reduce((sum, [before, after], axis) => {
    const edge = attrs.mode === "reflect" ? 1 : 0
    const size = sum.shape[axis]!
    const part = (from: number, count: number): tf.Tensor =>
      tf.reverse(
        tf.slice(
          sum,
          sum.shape.map((_, i) => (i === axis ? from : 0)),
          sum.shape.map((d, i) => (i === axis ? count : d)),
        ),
        axis,
      )
    const parts = [
      ...(before > 0 ? [part(edge, before)] : []),
      sum,
      ...(after > 0 ? [part(size - after - edge, after)] : []),
    ]
    return parts.length === 1 ? sum : tf.concat(parts, axis)
  }, x!)

/** [b, y, x, …] as [block · b, y / block, x / block, …], after padding. */
const spaceToBatch: Expansion = ({ x }, attrs) => {
  const block = numbersOf(attrs, "blockShape")
  const pads = pairsOf(attrs, "paddings")
  const rest = x!.shape.slice(1 + block.length)
  const padded = tf.pad(x!, [
    [0, 0],
    ...pads.map(([a, b]) => [a, b] as [number, number]),
    ...rest.map(() => [0, 0] as [number, number]),
  ])
  const batch = x!.shape[0]!
  const parts = block.map((n, i) => [padded.shape[1 + i]! / n, n] as const)
  const split = tf.reshape(padded, [batch, ...parts.flat(), ...rest])
  const m = block.length
  const perm = [
    ...block.map((_, i) => 2 + 2 * i),
    0,
    ...block.map((_, i) => 1 + 2 * i),
    ...rest.map((_, i) => 1 + 2 * m + i),
  ]
  const blocks = block.reduce((n, b) => n * b, 1)
  return tf.reshape(tf.transpose(split, perm), [blocks * batch, ...parts.map(([n]) => n), ...rest])
}

const batchToSpace: Expansion = ({ x }, attrs) => {
  const block = numbersOf(attrs, "blockShape")
  const crops = pairsOf(attrs, "crops")
  const m = block.length
  const sizes = x!.shape.slice(1, 1 + m)
  const rest = x!.shape.slice(1 + m)
  const batch = x!.shape[0]! / block.reduce((n, b) => n * b, 1)
  const split = tf.reshape(x!, [...block, batch, ...sizes, ...rest])
  const perm = [m, ...block.flatMap((_, i) => [m + 1 + i, i]), ...rest.map((_, i) => 2 * m + 1 + i)]
  const whole = tf.reshape(tf.transpose(split, perm), [batch, ...sizes.map((n, i) => n * block[i]!), ...rest])
  return tf.slice(
    whole,
    [0, ...crops.map(([before]) => before), ...rest.map(() => 0)],
    [batch, ...sizes.map((n, i) => n * block[i]! - crops[i]![0] - crops[i]![1]), ...rest],
  )
}

/** [b, y, x, n · n · c] as [b, y · n, x · n, c]. */
const depthToSpace: Expansion = ({ x }, attrs) => {
  const n = numberOf(attrs, "blockSize")
  const first = attrs.dataFormat === "NCHW"
  const image = first ? tf.transpose(x!, [0, 2, 3, 1]) : x!
  const [batch, rows, columns, depth] = image.shape as [number, number, number, number]
  const split = tf.reshape(image, [batch, rows, columns, n, n, depth / (n * n)])
  const made = tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4, 5]), [batch, rows * n, columns * n, depth / (n * n)])
  return first ? tf.transpose(made, [0, 3, 1, 2]) : made
}

export const expansions: ReadonlyMap<string, Expansion> = new Map<string, Expansion>([
  ["FusedConv2D", fusedConvolution("Conv2D")],
  ["FusedDepthwiseConv2D", fusedConvolution("DepthwiseConv2dNative")],
  ["FusedBatchNorm", batchNorm],
  ["MirrorPad", mirrorPad],
  ["SpaceToBatchND", spaceToBatch],
  ["BatchToSpaceND", batchToSpace],
  ["DepthToSpace", depthToSpace],
  [
    "Einsum",
    (inputs, attrs) =>
      einsum(
        String(attrs.equation),
        Object.values(inputs).flatMap((x) => x ?? []),
      ),
  ],
])
