/**
 * Fused operations: the few kernels of a program that tfjs does not have. Our own tensor ops record them when they are
 * captured; an engine lowers them to one native kernel, or to what `decompose` says.
 *
 *   op          inputs                            attrs           outputs
 *   LayerNorm   x [..., d], gain [d], bias [d]    epsilon         y [..., d], mean [..., 1], invStd [..., 1]
 *               mean = mean of x over the last axis; invStd = 1 / sqrt(mean((x - mean)²) + epsilon);
 *               y = (x - mean) · invStd · gain + bias               ONNX LayerNormalization (axis -1), its three outputs
 *   GeluTanh    x                                 -               y = 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
 *                                                                 ONNX Gelu (approximate = tanh), opset 20
 *   QuickGelu   x                                 alpha           y = x σ(α x)
 *                                                                 ONNX Runtime's own QuickGelu
 *   GroupUnit   x [b, y, x, c]                    groups,         u like x, invStd [b, g]
 *               epsilon, dataFormat               the moments are those of an image's group of adjacent channels;
 *               u = (x - mean) · invStd             ONNX LayerNormalization of [b · g, c / g · y · x]
 *   FusedConv2D x, filter, bias [c]               as Conv2D       Conv2D + bias: ONNX Conv
 *   EmbedGrad   ids int32 [n], dy [n, d],         vocabulary v    [v, d]: row i is the sum of dy[j] over all j with
 *               onto [v, d] (may be absent)                        ids[j] = i, added to `onto` where there is one
 *                                                                 ONNX ScatterElements (axis 0, reduction add);
 *                                                                 never ScatterND with add, which loses updates
 *   CachedAttention  qkv [b, 3 h e],              -               attended [b, h e], the tables with the new position
 *               keys, values [b, h, s, e],                        what program/cachedAttention.ts says; in place
 *               lengths int32 [b]                                 ONNX Runtime's GroupQueryAttention
               without lengths: qkv [b, t, 3 h e]                attended [b, t, h e]
 *   SumOfSquares  x                               -               scalar, Σ x² over all elements   ONNX ReduceSumSquare
 *   LogSoftmax  logits [..., v]                   axis (last)     log of the softmax over the last axis: a tfjs kernel
 *                                                                 name that no tfjs backend in JavaScript implements
 *   ScaledMatMul  a, b                            transposeA, transposeB, scale    scale · A B                 ONNX Gemm, FusedMatMul
 *   _FusedMatMul  a, b, bias (may be absent) transposeA, transposeB, activation (linear, relu, …)
 *               activation(A B + bias), the bias broadcasts to the product. The tfjs kernel of that name; `linear` and
 *               the passes record it for matrices with a bias [f]      ONNX Gemm
 *
 * All values are float32, but for ids and lengths.
 */
import * as tf from "@tensorflow/tfjs-core"
import { cachedAttentionKernel, cachedAttentionMeaning } from "./cachedAttention.js"
import { imageMeaning } from "./imageMeaning.js"
import type { Kernel } from "./kernels.js"
import { same } from "./partShapes.js"
import { type Attrs, dtypeAttr, input, matMul, numberOf, real } from "./shapes.js"
import { isFirst, lastShape, layouts } from "./windows.js"

const root = Math.sqrt(2 / Math.PI)
/** gelu(x) = x σ(x (a + b x²)): the tanh form, written with the logistic function. */
export const geluFactors = { a: 2 * root, b: 2 * root * 0.044715 } as const

const moments = (x: tf.Tensor, epsilon: number): { mean: tf.Tensor; invStd: tf.Tensor; centred: tf.Tensor } => {
  const mean = tf.mean(x, -1, true)
  const centred = tf.sub(x, mean)
  return { mean, centred, invStd: tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)) }
}

/** @throws Error  a group would have a part of a channel */
const checkGroups = (groups: number, channels: number): void => {
  if (channels % groups !== 0) throw new Error(`groupNorm: ${groups} groups do not divide ${channels} channels`)
}

const groupUnit = (x: tf.Tensor, attrs: Attrs): ReadonlyArray<tf.Tensor> => {
  const first = isFirst(attrs)
  const image = first ? tf.transpose(x, [...layouts.toLast]) : x
  const [batch, height, width, channels] = image.shape as [number, number, number, number]
  const groups = numberOf(attrs, "groups")
  checkGroups(groups, channels)
  const parts = tf.reshape(image, [batch, height * width, groups, channels / groups])
  const mean = tf.mean(parts, [1, 3], true)
  const centred = tf.sub(parts, mean)
  const invStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), [1, 3], true), numberOf(attrs, "epsilon")))
  const unit = tf.reshape(tf.mul(centred, invStd), image.shape)
  return [first ? tf.transpose(unit, [...layouts.toFirst]) : unit, tf.reshape(invStd, [batch, groups])]
}

type Decompose = (inputs: ReadonlyArray<tf.Tensor>, attrs: Attrs) => ReadonlyArray<tf.Tensor>

/** Each fused operation in plain tfjs operations: what eager backends run, and the meaning of the operation. */
export const decompose: ReadonlyMap<string, Decompose> = new Map<string, Decompose>([
  ...imageMeaning,
  [
    "LayerNorm",
    ([x, gain, bias], attrs) => {
      const { mean, invStd, centred } = moments(x!, numberOf(attrs, "epsilon"))
      return [tf.add(tf.mul(tf.mul(centred, invStd), gain!), bias!), mean, invStd]
    },
  ],
  [
    "GeluTanh",
    ([x]) => {
      const { a, b } = geluFactors
      return [tf.mul(x!, tf.sigmoid(tf.mul(x!, tf.add(tf.mul(tf.square(x!), b), a))))]
    },
  ],
  ["QuickGelu", ([x], attrs) => [tf.mul(x!, tf.sigmoid(tf.mul(x!, numberOf(attrs, "alpha"))))]],
  ["GroupUnit", ([x], attrs) => groupUnit(x!, attrs)],
  [
    "EmbedGrad",
    ([ids, dy, onto], attrs) => {
      const sums = tf.scatterND(tf.expandDims(ids!, 1), dy!, [numberOf(attrs, "vocabulary"), dy!.shape[1]!])
      return [onto === undefined ? sums : tf.add(onto, sums)]
    },
  ],
  ["CachedAttention", cachedAttentionMeaning],
  ["SumOfSquares", ([x]) => [tf.sum(tf.square(x!))]],
  [
    "ScaledMatMul",
    ([a, b], attrs) => [
      tf.mul(tf.matMul(a!, b!, attrs.transposeA === true, attrs.transposeB === true), numberOf(attrs, "scale")),
    ],
  ],
  ["LogSoftmax", ([logits]) => [tf.logSoftmax(logits!)]],
  [
    // A tfjs kernel; but the one of tfjs's wasm backend writes integers where it should write floats.
    "OneHot",
    ([indices], attrs) => {
      const { onValue, offValue } = attrs
      const hot = tf.oneHot(indices!, numberOf(attrs, "depth"), 1, 0, "int32")
      if (onValue === 1 && offValue === 0) return [tf.cast(hot, dtypeAttr(attrs, "int32"))]
      const fill = (value: typeof onValue): tf.Tensor => tf.fill(hot.shape, Number(value), dtypeAttr(attrs, "int32"))
      return [tf.where(tf.cast(hot, "bool"), fill(onValue), fill(offValue))]
    },
  ],
  [
    // A tfjs kernel; but only some of its implementations take matrices, so that it goes through the public function.
    "_FusedMatMul",
    ([a, b, bias], attrs) => [
      tf.fused.matMul({
        a: a!,
        b: b!,
        transposeA: attrs.transposeA === true,
        transposeB: attrs.transposeB === true,
        ...(bias === undefined ? {} : { bias }),
        activation: String(attrs.activation ?? "linear") as "linear",
        ...(typeof attrs.leakyreluAlpha === "number" ? { leakyreluAlpha: attrs.leakyreluAlpha } : {}),
      }),
    ],
  ],
])

/** Rows of the kernel table. */
export const fusedKernels: ReadonlyArray<readonly [string, Kernel]> = [
  [
    "LayerNorm",
    {
      inputs: ["x", "gain", "bias"],
      infer: real((ins) => {
        const { dtype, shape } = input(ins)
        const width = shape.at(-1)
        if (width === undefined || [1, 2].some((i) => String(input(ins, i).shape) !== String([width]))) {
          throw new Error(`layerNorm: gain and bias must have shape [${width}], the last axis of [${shape}]`)
        }
        const each = { dtype, shape: [...shape.slice(0, -1), 1] }
        return [{ dtype, shape }, each, each]
      }),
    },
  ],
  ["GeluTanh", { inputs: ["x"], infer: real(same), elementwise: true }],
  ["QuickGelu", { inputs: ["x"], infer: real(same), elementwise: true }],
  [
    "GroupUnit",
    {
      inputs: ["x"],
      infer: real((ins, attrs) => {
        const x = input(ins)
        const channels = lastShape(attrs, x.shape)[3]!
        const groups = numberOf(attrs, "groups")
        checkGroups(groups, channels)
        return [x, { dtype: x.dtype, shape: [x.shape[0]!, groups] }]
      }),
    },
  ],
  ["CachedAttention", cachedAttentionKernel],
  ["ScaledMatMul", { inputs: ["a", "b"], infer: matMul }],
  ["SumOfSquares", { inputs: ["x"], infer: (ins) => [{ dtype: input(ins).dtype, shape: [] }] }],
  [
    "EmbedGrad",
    {
      inputs: ["ids", "dy", "onto?"],
      infer: (ins, attrs) => [
        { dtype: input(ins, 1).dtype, shape: [numberOf(attrs, "vocabulary"), input(ins, 1).shape[1]!] },
      ],
    },
  ],
]
