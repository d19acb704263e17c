/** Differentiable operations beside their plain loops: every gradient that the networks of the papers take. */
import { crossEntropy, embed, gelu, layerNorm, linear, logSoftmax, quickGelu, silu, softmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { imageGradientCases } from "./imageGradientCases.js"
import { along, at, einsum, erf, make, mean, type Shape, type Values } from "./plain.js"

export interface GradientCase {
  readonly shapes: ReadonlyArray<Shape>
  readonly op: (...x: ReadonlyArray<tf.Tensor>) => tf.Tensor
  readonly plain: (...x: ReadonlyArray<Values>) => Values
  /** Where the inputs are drawn from; −2 … 2 where it is absent. */
  readonly domain?: readonly [number, number]
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const tanhGelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
const seluOf = (x: number): number => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))

type Unary = readonly [op: (x: tf.Tensor) => tf.Tensor, f: (x: number) => number, domain?: readonly [number, number]]
const positive = [0.2, 3] as const
const unit = [-0.9, 0.9] as const

const unary: Readonly<Record<string, Unary>> = {
  neg: [tf.neg, (x) => -x],
  abs: [tf.abs, Math.abs],
  square: [tf.square, (x) => x * x],
  exp: [tf.exp, Math.exp],
  expm1: [tf.expm1, Math.expm1],
  log: [tf.log, Math.log, positive],
  log1p: [tf.log1p, Math.log1p, positive],
  sqrt: [tf.sqrt, Math.sqrt, positive],
  rsqrt: [tf.rsqrt, (x) => x ** -0.5, positive],
  reciprocal: [tf.reciprocal, (x) => 1 / x, positive],
  sigmoid: [tf.sigmoid, sigmoid],
  softplus: [tf.softplus, (x) => Math.log1p(Math.exp(x))],
  tanh: [tf.tanh, Math.tanh],
  relu: [tf.relu, (x) => Math.max(x, 0)],
  relu6: [tf.relu6, (x) => Math.min(Math.max(x, 0), 6), [-4, 9]],
  elu: [tf.elu, (x) => (x >= 0 ? x : Math.expm1(x))],
  selu: [tf.selu, seluOf],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.1), (x) => (x >= 0 ? x : 0.1 * x)],
  erf: [tf.erf, erf],
  sin: [tf.sin, Math.sin],
  cos: [tf.cos, Math.cos],
  tan: [tf.tan, Math.tan, unit],
  sinh: [tf.sinh, Math.sinh],
  cosh: [tf.cosh, Math.cosh],
  asin: [tf.asin, Math.asin, unit],
  acos: [tf.acos, Math.acos, unit],
  atan: [tf.atan, Math.atan],
  asinh: [tf.asinh, Math.asinh],
  acosh: [tf.acosh, Math.acosh, [1.2, 3]],
  atanh: [tf.atanh, Math.atanh, unit],
  clip: [(x) => tf.clipByValue(x, -0.5, 1), (x) => Math.min(1, Math.max(-0.5, x))],
  floor: [tf.floor, Math.floor],
  ceil: [tf.ceil, Math.ceil],
  round: [tf.round, Math.round],
  sign: [tf.sign, Math.sign],
  step: [(x) => tf.step(x, 0.3), (x) => (x > 0 ? 1 : 0.3)],
  zerosLike: [tf.zerosLike, () => 0],
  onesLike: [tf.onesLike, () => 1],
  gelu: [gelu, tanhGelu],
  quickGelu: [quickGelu, (x) => x * sigmoid(1.702 * x)],
  silu: [silu, (x) => x * sigmoid(x)],
}

type Binary = readonly [
  (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  (a: number, b: number) => number,
  (readonly [number, number])?,
]
const binary: Readonly<Record<string, Binary>> = {
  add: [tf.add, (a, b) => a + b],
  sub: [tf.sub, (a, b) => a - b],
  mul: [tf.mul, (a, b) => a * b],
  div: [tf.div, (a, b) => a / b, positive],
  pow: [tf.pow, (a, b) => a ** b, positive],
  maximum: [tf.maximum, Math.max],
  minimum: [tf.minimum, Math.min],
  squaredDifference: [tf.squaredDifference, (a, b) => (a - b) ** 2],
  atan2: [tf.atan2, Math.atan2, positive],
  prelu: [tf.prelu, (a, b) => (a >= 0 ? a : a * b)],
  mod: [tf.mod, (a, b) => a % b, positive],
  greaterEqual: [(a, b) => tf.mul(a, tf.cast(tf.greaterEqual(a, b), "float32")), (a, b) => (a >= b ? a : 0)],
  less: [(a, b) => tf.mul(a, tf.cast(tf.less(a, b), "float32")), (a, b) => (a < b ? a : 0)],
  where: [(a, b) => tf.where(tf.less(a, b), tf.square(a), tf.add(a, b)), (a, b) => (a < b ? a * a : a + b)],
}

const rows: Shape = [3, 4]
const cube: Shape = [2, 3, 4]
const ids = [2, 0, 2, 1]
const tensor = (values: Values, shape?: Shape): tf.Tensor =>
  tf.tensor([...values], shape === undefined ? undefined : [...shape], "int32")
const permuted = (x: Values, shape: Shape, perm: Shape): Values =>
  make(
    perm.map((p) => shape[p]!),
    (index) =>
      at(
        x,
        shape,
        shape.map((_, axis) => index[perm.indexOf(axis)]!),
      ),
  )
const logSum = (row: Values): number => Math.log(row.reduce((n, v) => n + Math.exp(v), 0))
const layer = (row: Values, epsilon: number): Values => {
  const variance = mean(row.map((v) => (v - mean(row)) ** 2))
  return row.map((v) => (v - mean(row)) / Math.sqrt(variance + epsilon))
}

const reductions: Readonly<Record<string, GradientCase>> = {
  sum: {
    shapes: [cube],
    op: (x) => tf.sum(x!, 1),
    plain: (x) => along(x!, cube, 1, (r) => [r.reduce((a, b) => a + b)]),
  },
  mean: { shapes: [cube], op: (x) => tf.mean(x!, 2), plain: (x) => along(x!, cube, 2, (r) => [mean(r)]) },
  prod: {
    shapes: [rows],
    op: (x) => tf.prod(x!, 1),
    plain: (x) => along(x!, rows, 1, (r) => [r.reduce((a, b) => a * b)]),
    domain: positive,
  },
  max: { shapes: [cube], op: (x) => tf.max(x!, 2), plain: (x) => along(x!, cube, 2, (r) => [Math.max(...r)]) },
  min: { shapes: [cube], op: (x) => tf.min(x!, 1), plain: (x) => along(x!, cube, 1, (r) => [Math.min(...r)]) },
  logSumExp: { shapes: [rows], op: (x) => tf.logSumExp(x!, 1), plain: (x) => along(x!, rows, 1, (r) => [logSum(r)]) },
  cumsum: {
    shapes: [rows],
    op: (x) => tf.cumsum(x!, 1, true, true),
    plain: (x) => along(x!, rows, 1, (r) => r.map((_, i) => r.slice(i + 1).reduce((a, b) => a + b, 0))),
  },
  softmax: {
    shapes: [cube],
    op: (x) => softmax(x!),
    plain: (x) => along(x!, cube, 2, (r) => r.map((v) => Math.exp(v - logSum(r)))),
  },
  "tfjs's softmax": {
    shapes: [rows],
    op: (x) => tf.softmax(x!),
    plain: (x) => along(x!, rows, 1, (r) => r.map((v) => Math.exp(v - logSum(r)))),
  },
  logSoftmax: {
    shapes: [rows],
    op: (x) => logSoftmax(x!),
    plain: (x) => along(x!, rows, 1, (r) => r.map((v) => v - logSum(r))),
  },
  "tfjs's logSoftmax": {
    shapes: [rows],
    op: (x) => tf.logSoftmax(x!),
    plain: (x) => along(x!, rows, 1, (r) => r.map((v) => v - logSum(r))),
  },
  layerNorm: {
    shapes: [rows, [4], [4]],
    op: (x, g, b) => layerNorm(x!, g as tf.Tensor1D, b as tf.Tensor1D, 0.1),
    plain: (x, g, b) => along(x!, rows, 1, (r) => layer(r, 0.1).map((v, i) => v * g![i]! + b![i]!)),
  },
  crossEntropy: {
    shapes: [[4, 3]],
    op: (x) => crossEntropy(x!, tensor(ids)),
    plain: (x) => ids.map((label, i) => logSum(x!.slice(3 * i, 3 * i + 3)) - x![3 * i + label]!),
  },
}

const batchToSpaceIn: Shape = [4, 1, 2, 2]

const moving: Readonly<Record<string, GradientCase>> = {
  transpose: { shapes: [cube], op: (x) => tf.transpose(x!, [2, 0, 1]), plain: (x) => permuted(x!, cube, [2, 0, 1]) },
  reshape: { shapes: [cube], op: (x) => tf.reshape(x!, [4, 6]), plain: (x) => x! },
  concat: {
    shapes: [rows, [3, 2]],
    op: (a, b) => tf.concat([a!, b!], 1),
    plain: (a, b) => make([3, 6], ([i, j]) => (j! < 4 ? at(a!, rows, [i!, j!]) : at(b!, [3, 2], [i!, j! - 4]))),
  },
  stack: {
    shapes: [[4], [4]],
    op: (a, b) => tf.stack([a!, b!], 1),
    plain: (a, b) => a!.flatMap((v, i) => [v, b![i]!]),
  },
  unstack: { shapes: [rows], op: (x) => tf.unstack(x!, 1)[2]!, plain: (x) => [2, 6, 10].map((i) => x![i]!) },
  split: { shapes: [rows], op: (x) => tf.split(x!, 2, 1)[1]!, plain: (x) => [2, 3, 6, 7, 10, 11].map((i) => x![i]!) },
  slice: { shapes: [rows], op: (x) => tf.slice(x!, [1, 1], [2, 2]), plain: (x) => [5, 6, 9, 10].map((i) => x![i]!) },
  pad: { shapes: [[3]], op: (x) => tf.pad(x!, [[2, 1]]), plain: (x) => [0, 0, ...x!, 0] },
  mirrorPad: {
    shapes: [rows],
    op: (x) =>
      tf.mirrorPad(
        x!,
        [
          [1, 2],
          [0, 2],
        ],
        "reflect",
      ),
    plain: (x) =>
      make([6, 6], ([i, j]) => {
        const mirror = (k: number, n: number): number => (k < 0 ? -k : k >= n ? 2 * n - 2 - k : k)
        return at(x!, rows, [mirror(i! - 1, 3), mirror(j!, 4)])
      }),
  },
  tile: {
    shapes: [[2, 3]],
    op: (x) => tf.tile(x!, [2, 2]),
    plain: (x) => make([4, 6], ([i, j]) => at(x!, [2, 3], [i! % 2, j! % 3])),
  },
  broadcastTo: {
    shapes: [[3, 1]],
    op: (x) => tf.broadcastTo(x!, [2, 3, 4]),
    plain: (x) => make([2, 3, 4], ([, j]) => x![j!]!),
  },
  reverse: { shapes: [rows], op: (x) => tf.reverse(x!, 1), plain: (x) => along(x!, rows, 1, (r) => r.toReversed()) },
  gather: {
    shapes: [rows],
    op: (x) => tf.gather(x!, tensor(ids) as tf.Tensor1D),
    plain: (x) => ids.flatMap((i) => x!.slice(4 * i, 4 * i + 4)),
  },
  "gather along axis 1": {
    shapes: [rows],
    op: (x) => tf.gather(x!, tensor(ids) as tf.Tensor1D, 1),
    plain: (x) => make([3, 4], ([i, j]) => at(x!, rows, [i!, ids[j!]!])),
  },
  embed: {
    shapes: [rows],
    op: (x) => embed(x!, tensor(ids)),
    plain: (x) => ids.flatMap((i) => x!.slice(4 * i, 4 * i + 4)),
  },
  unsortedSegmentSum: {
    shapes: [rows],
    op: (x) => tf.unsortedSegmentSum(x!, tensor([1, 0, 1]) as tf.Tensor1D, 2),
    plain: (x) =>
      make([2, 4], ([i, j]) => (i === 0 ? at(x!, rows, [1, j!]) : at(x!, rows, [0, j!]) + at(x!, rows, [2, j!]))),
  },
  addN: {
    shapes: [rows, rows],
    op: (a, b) => tf.addN([a!, b!, a!]),
    plain: (a, b) => a!.map((v, i) => 2 * v + b![i]!),
  },
  batchToSpace: {
    shapes: [batchToSpaceIn],
    op: (x) =>
      tf.batchToSpaceND(
        x!,
        [2, 2],
        [
          [0, 0],
          [1, 0],
        ],
      ),
    plain: (x) =>
      make([1, 2, 3, 2], ([, i, j, c]) =>
        at(x!, batchToSpaceIn, [2 * i! + ((j! + 1) % 2), 0, Math.floor((j! + 1) / 2), c!]),
      ),
  },
  spaceToBatch: {
    shapes: [[1, 2, 3, 2]],
    op: (x) =>
      tf.spaceToBatchND(
        x!,
        [2, 2],
        [
          [0, 0],
          [1, 0],
        ],
      ),
    plain: (x) =>
      make([4, 1, 2, 2], ([b, , j, c]) => at(x!, [1, 2, 3, 2], [0, Math.floor(b! / 2), 2 * j! + (b! % 2) - 1, c!])),
  },
}

const productCase = (a: Shape, b: Shape, equation: string, op: GradientCase["op"]): GradientCase => ({
  shapes: [a, b],
  op,
  plain: (x, y) =>
    einsum(equation, [
      [x!, a],
      [y!, b],
    ]),
})

const products: Readonly<Record<string, GradientCase>> = {
  matMul: productCase([3, 4], [4, 2], "ij,jk->ik", (a, b) => tf.matMul(a!, b!)),
  "matMul, first transposed": productCase([4, 3], [4, 2], "ji,jk->ik", (a, b) => tf.matMul(a!, b!, true)),
  "matMul, second transposed": productCase([3, 4], [2, 4], "ij,kj->ik", (a, b) => tf.matMul(a!, b!, false, true)),
  "matMul in a batch": productCase(cube, [2, 4, 2], "bij,bjk->bik", (a, b) => tf.matMul(a!, b!)),
  "einsum of attention": productCase([2, 3, 4], [2, 5, 4], "bte,bse->bts", (a, b) => tf.einsum("bte,bse->bts", a!, b!)),
  "einsum that turns axes": productCase([2, 3, 4], [4, 2], "bik,kj->bji", (a, b) => tf.einsum("bik,kj->bji", a!, b!)),
  linear: {
    shapes: [rows, [4, 2], [2]],
    op: (x, w, b) => linear(x!, w!, b),
    plain: (x, w, b) =>
      einsum("ij,jk->ik", [
        [x!, rows],
        [w!, [4, 2]],
      ]).map((v, i) => v + b![i % 2]!),
  },
}

const elementwise = (): Record<string, GradientCase> => ({
  ...Object.fromEntries(
    Object.entries(unary).map(([name, [op, f, domain]]) => [
      name,
      { shapes: [rows], op: (x: tf.Tensor) => op(x), plain: (x: Values) => x.map(f), ...(domain ? { domain } : {}) },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(binary).map(([name, [op, f, domain]]) => [
      name,
      {
        shapes: [rows, [4]],
        op: (a: tf.Tensor, b: tf.Tensor) => op(a, b),
        plain: (a: Values, b: Values) => a.map((v, i) => f(v, b[i % 4]!)),
        ...(domain ? { domain } : {}),
      },
    ]),
  ),
})

/** What tfjs differentiates in its own way: floorDiv gets the gradient of the quotient. */
export const gradientsOfItsOwn: Readonly<Record<string, GradientCase>> = {
  floorDiv: {
    shapes: [rows, [4]],
    op: (a, b) => tf.cast(tf.floorDiv(a!, b!), "float32"),
    plain: (a, b) => a!.map((v, i) => Math.floor(v / b![i % 4]!)),
    domain: positive,
  },
}

/** Every case by its name. */
export const gradientCases: Readonly<Record<string, GradientCase>> = {
  ...elementwise(),
  ...reductions,
  ...moving,
  ...products,
  ...imageGradientCases,
}
