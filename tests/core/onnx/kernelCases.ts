/** Calls of every kernel that can be written in ONNX, for comparing engines. */
import {
  type DType,
  embed,
  gelu,
  type HostTensor,
  layerNorm,
  linear,
  logSoftmax,
  type Specs,
  sizeOf,
  spec,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

/** Sizes that a property draws. */
export interface Sizes {
  readonly rows: number
  readonly columns: number
  readonly count: number
}

/** How the values of an input are drawn from numbers in [0, 1). */
type Draw = (uniform: number, sizes: Sizes) => number

const wide: Draw = (u) => (u - 0.5) * 6
const input = (dtype: DType, shape: (sizes: Sizes) => ReadonlyArray<number>, draw: Draw) => ({ dtype, shape, draw })
const matrix = ({ rows, columns }: Sizes) => [rows, columns]

const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 2.5, 3.5, 1e-7, -1e-7, 1e30, -1e30, 88, -88]

const inputs = {
  /** Any number. */
  a: input("float32", matrix, wide),
  b: input("float32", matrix, wide),
  /** Above zero. */
  p: input("float32", matrix, (u) => u * 4 + 0.01),
  /** In (-1, 1). */
  u: input("float32", matrix, (u) => u * 1.9 - 0.95),
  row: input("float32", ({ columns }) => [columns], wide),
  /** Small whole numbers. */
  i: input("int32", matrix, (u) => Math.floor(u * 9) - 4),
  j: input("int32", matrix, (u) => Math.floor(u * 9) - 4),
  /** Whole numbers without zero. */
  n: input("int32", matrix, (u) => (Math.floor(u * 4) + 1) * (u * 8 - Math.floor(u * 8) < 0.5 ? 1 : -1)),
  m: input("bool", matrix, (u) => (u < 0.5 ? 1 : 0)),
  q: input("bool", matrix, (u) => (u < 0.7 ? 1 : 0)),
  /** Rows of a matrix, with repeats. */
  ids: input(
    "int32",
    ({ count }) => [count],
    (u, { rows }) => Math.floor(u * rows),
  ),
  pairs: input(
    "int32",
    ({ count }) => [count, 2],
    (u, { rows, columns }) => Math.floor(u * Math.min(rows, columns)),
  ),
  /** From below zero to above the number of columns. */
  loose: input(
    "int32",
    ({ count }) => [count],
    (u, { columns }) => Math.floor(u * (columns + 4)) - 2,
  ),
  updates: input("float32", ({ count, columns }) => [count, columns], wide),
  scalars: input("float32", ({ count }) => [count], wide),
  cube: input("float32", ({ rows, columns }) => [2, rows, columns], wide),
  other: input("float32", ({ rows, columns }) => [2, columns, rows], wide),
  four: input("float32", ({ rows, columns }) => [2, 3, rows, columns], wide),
  within: input(
    "int32",
    ({ count }) => [2, count],
    (u, { rows }) => Math.floor(u * rows),
  ),
  special: input("float32", () => [special.length], wide),
  reversed: input("float32", () => [special.length], wide),
} as const

type Name = keyof typeof inputs
type Tensors = Readonly<Record<Name, tf.Tensor>>
type Made = tf.Tensor | ReadonlyArray<tf.Tensor>
type Case = (t: Tensors, sizes: Sizes) => Made

const names = Object.keys(inputs) as ReadonlyArray<Name>

/** The types of the inputs. */
export const inputSpecs = (sizes: Sizes): Specs =>
  Object.fromEntries(names.map((name) => [name, spec(inputs[name].dtype, inputs[name].shape(sizes))]))

/** Values for the inputs, from a source of numbers in [0, 1). */
export const inputValues = (sizes: Sizes, uniform: () => number): Record<string, HostTensor> =>
  Object.fromEntries(
    names.map((name) => {
      const { dtype, shape, draw } = inputs[name]
      const values = Array.from({ length: sizeOf(shape(sizes)) }, () => draw(uniform(), sizes))
      const fixed = name === "special" ? special : name === "reversed" ? special.toReversed() : values
      const data =
        dtype === "float32"
          ? Float32Array.from(fixed)
          : dtype === "int32"
            ? Int32Array.from(fixed)
            : Uint8Array.from(fixed)
      return [name, { dtype, shape: shape(sizes), data }]
    }),
  )

const each = <F>(functions: Readonly<Record<string, F>>, call: (f: F, t: Tensors) => Made): Record<string, Case> =>
  Object.fromEntries(Object.entries(functions).map(([name, f]) => [name, (t) => call(f, t)]))

const on = (suffix: string, cases: Record<string, Case>): Record<string, Case> =>
  Object.fromEntries(Object.entries(cases).map(([name, f]) => [`${name} of ${suffix}`, f]))

const { neg, abs, sign, square, exp, expm1, sigmoid, softplus, tanh, relu, relu6, elu, selu, erf } = tf
const { sin, cos, sinh, cosh, atan, asinh, floor, ceil, round, step, log, log1p, sqrt, rsqrt, reciprocal } = tf
const { asin, acos, atanh, add, sub, mul, maximum, minimum, squaredDifference, mod } = tf
const { equal, notEqual, less, lessEqual, greater, greaterEqual, logicalAnd, logicalOr, logicalNot } = tf

const anywhere = {
  neg,
  abs,
  square,
  exp,
  expm1,
  sigmoid,
  softplus,
  tanh,
  relu,
  relu6,
  elu,
  selu,
  erf,
  atan,
  floor,
  ceil,
  round,
  sign,
}
const plain = { ...anywhere, sin, cos, sinh, cosh, asinh, step }
const whole = { neg, abs, square, sign, relu }
const arithmetic = { add, sub, mul, maximum, minimum, squaredDifference }
const comparisons = { equal, notEqual, less, lessEqual, greater, greaterEqual }

const unary: Record<string, Case> = {
  ...on(
    "any",
    each(plain, (f, t) => f(t.a)),
  ),
  ...on(
    "above zero",
    each({ log, log1p, sqrt, rsqrt, reciprocal, acosh: (x: tf.Tensor) => tf.acosh(tf.add(x, 1)) }, (f, t) => f(t.p)),
  ),
  ...on(
    "within one",
    each({ asin, acos, atanh, log1p, expm1, tan: tf.tan }, (f, t) => f(t.u)),
  ),
  ...on(
    "int32",
    each(whole, (f, t) => f(t.i)),
  ),
  ...on(
    "special values",
    each({ ...anywhere, log, sqrt, isNaN: tf.isNaN, isInf: tf.isInf, isFinite: tf.isFinite }, (f, t) => f(t.special)),
  ),
  "log1p near zero": (t) => tf.log1p(tf.mul(t.u, 1e-6)),
  "expm1 near zero": (t) => tf.expm1(tf.mul(t.u, 1e-6)),
  "round of halves": (t) => tf.round(tf.add(tf.cast(t.i, "float32"), 0.5)),
  "step with alpha": (t) => tf.step(t.a, 0.3),
  "step of special values": (t) => tf.step(t.special, 0.3),
  leakyRelu: (t) => tf.leakyRelu(t.a, 0.1),
  prelu: (t) => tf.prelu(t.a, t.row),
  clip: (t) => tf.clipByValue(t.a, -0.5, 0.75),
  "clip of special values": (t) => tf.clipByValue(t.special, -0.5, 0.75),
  eluGrad: (t) => tf.grad((x) => tf.elu(x))(t.a),
}

const binary: Record<string, Case> = {
  ...on(
    "any",
    each({ ...arithmetic, mod, atan2: tf.atan2, div: tf.div }, (f, t) => f(t.a, t.b)),
  ),
  ...on(
    "a row",
    each({ ...arithmetic, ...comparisons }, (f, t) => f(t.a, t.row)),
  ),
  ...on(
    "int32",
    each({ ...arithmetic, ...comparisons }, (f, t) => f(t.i, t.j)),
  ),
  ...on(
    "bool",
    each({ equal, notEqual, logicalAnd, logicalOr, logicalXor: tf.logicalXor }, (f, t) => f(t.m, t.q)),
  ),
  ...on(
    "special values",
    each({ add, mul, maximum, minimum, ...comparisons }, (f, t) => f(t.special, t.reversed)),
  ),
  "int32 quotient": (t) => tf.div(t.i, t.n),
  "int32 remainder": (t) => tf.mod(t.i, t.n),
  "float quotient, whole": (t) => tf.floorDiv(t.a, t.b),
  pow: (t) => tf.pow(t.p, t.a),
  "int32 pow": (t) => tf.pow(tf.abs(t.i), tf.abs(t.n)),
  "bool and int32": (t) => tf.add(t.m, t.i),
  "bool and float": (t) => tf.mul(t.m, t.a),
  "int32 and float": (t) => tf.mul(t.i, t.a),
  addN: (t) => tf.addN([t.a, t.b, t.u]),
  "addN of many elements": (t) => tf.addN([tf.tile(t.a, [200, 40]), tf.tile(t.b, [200, 40])]),
  "addN of int32": (t) => tf.addN([t.i, t.i, t.i]),
  logicalNot: (t) => logicalNot(t.m as tf.Tensor),
  where: (t) => tf.where(t.m, t.a, t.b),
  "where of a row": (t) => tf.where(tf.greater(t.row, 0), t.a, t.b),
  "where of int32": (t) => tf.where(t.m, t.i, t.j),
  "float to int32": (t) => tf.cast(t.a, "int32"),
  "float to bool": (t) => tf.cast(tf.relu(t.a), "bool"),
  "int32 to bool": (t) => tf.cast(t.i, "bool"),
  "bool to float": (t) => tf.cast(t.m, "float32"),
}

const shapes: Record<string, Case> = {
  reshape: (t) => tf.reshape(t.a, [-1]),
  expandDims: (t) => tf.expandDims(t.a, 1),
  transpose: (t) => tf.transpose(t.four, [0, 2, 1, 3]),
  "transpose of bool": (t) => tf.transpose(t.m),
  concat: (t) => tf.concat([t.a, t.b], 1),
  "concat of bool": (t) => tf.concat([t.m, t.q], 0),
  stack: (t) => tf.stack([t.a, t.b, t.u], 1),
  unstack: (t) => tf.unstack(t.cube, 2),
  slice: (t) => tf.slice(t.four, [0, 1, 0, 0], [-1, 2, -1, 1]),
  "slice of bool": (t) => tf.slice(t.m, [0, 0], [1, -1]),
  stridedSlice: (t) => tf.stridedSlice(t.four, [0, 2, 0], [2, 0, 9], [1, -1, 2]),
  "stridedSlice with masks": (t) => tf.stridedSlice(t.four, [1, 0, 0], [0, 2, 0], [1, 1, 1], 0, 4, 0, 0, 1),
  "stridedSlice backwards": (t) => tf.stridedSlice(t.a, [-1, 0], [0, 0], [-1, 1], 0, 3),
  "stridedSlice with a new axis": (t) => tf.stridedSlice(t.a, [0, 0], [0, 1], [1, 1], 2, 2, 0, 1, 0),
  split: (t) => tf.split(t.four, [1, 2], 1),
  "split in parts": (t) => tf.split(t.four, 3, 1),
  tile: (t) => tf.tile(t.a, [2, 3]),
  "tile of one": (t) => tf.tile(tf.expandDims(t.a, 1), [1, 3, 1]),
  broadcastTo: (t, { rows, columns }) => tf.broadcastTo(t.row, [rows, columns]),
  pad: (t) =>
    tf.pad(
      t.a,
      [
        [1, 2],
        [0, 1],
      ],
      0.5,
    ),
  "pad with mirrored rows": (t) =>
    tf.mirrorPad(
      t.four,
      [
        [0, 0],
        [1, 2],
        [0, 0],
        [1, 1],
      ],
      "reflect",
    ),
  "pad with mirrored rows, edges too": (t) =>
    tf.mirrorPad(
      t.four,
      [
        [0, 0],
        [3, 0],
        [0, 1],
        [1, 1],
      ],
      "symmetric",
    ),
  spaceToBatch: (t, { rows, columns }) =>
    tf.spaceToBatchND(
      tf.reshape(t.four, [2, rows, columns, 3]),
      [2, 3],
      [
        [rows % 2, 0],
        [0, 2 * (columns % 3)],
      ],
    ),
  batchToSpace: (t, { rows, columns }) =>
    tf.batchToSpaceND(tf.reshape(t.four, [6, rows, columns]), [3], [[1, rows - 1]]),
  depthToSpace: (t, { rows, columns }) =>
    tf.depthToSpace(tf.tile(tf.reshape(t.four, [2, rows, columns, 3]), [1, 1, 1, 4]) as tf.Tensor4D, 2, "NHWC"),
  reverse: (t) => tf.reverse(t.cube, [0, 2]),
  fill: (t) => tf.add(tf.fill([3], 2), tf.sum(t.a)),
  "large fill": (t) => tf.mul(tf.fill([80, 80], 2), tf.sum(t.a)),
  zerosLike: (t) => tf.zerosLike(t.i),
  onesLike: (t) => tf.onesLike(t.a),
  range: (t) => tf.add(tf.range(7, 1, -2, "float32"), tf.sum(t.a)),
  linspace: (t) => tf.add(tf.linspace(-1, 2, 7), tf.sum(t.a)),
  identity: (t) => tf.clone(t.a),
}

const indexing: Record<string, Case> = {
  gather: (t) => tf.gather(t.a, t.ids as tf.Tensor1D),
  "gather of bool": (t) => tf.gather(t.m, t.ids as tf.Tensor1D),
  "gather along axis 1": (t) => tf.gather(t.cube, t.ids as tf.Tensor1D, 1),
  "gather in a batch": (t) => tf.gather(t.cube, t.within, 1, 1),
  "gather in a batch, inner axis": (t) => tf.gather(t.four, t.within, 2, 1),
  "gather in a batch, one number": (t, { rows }) =>
    tf.gather(tf.slice(tf.reshape(t.four, [2, -1]), 0, [2, rows]), t.within, 1, 1),
  gatherND: (t) => tf.gatherND(t.a, t.pairs),
  scatterND: (t, { rows, columns }) => tf.scatterND(tf.expandDims(t.ids, 1), t.updates, [rows, columns]),
  "scatterND of pairs": (t, { rows, columns }) => tf.scatterND(t.pairs, t.scalars, [rows, columns]),
  "scatterND of int32": (t, { rows }) => tf.scatterND(tf.expandDims(t.ids, 1), t.ids, [rows]),
  update: (t) => tf.tensorScatterUpdate(t.a, tf.expandDims(t.ids, 1), t.updates),
  "update of pairs": (t) => tf.tensorScatterUpdate(t.a, t.pairs, t.scalars),
  "update of one row": (t) =>
    tf.tensorScatterUpdate(t.a, tf.slice(tf.expandDims(t.ids, 1), 0, 1), tf.slice(t.updates, 0, 1)),
  segmentSum: (t, { rows }) => tf.unsortedSegmentSum(t.updates, t.ids as tf.Tensor1D, rows),
  oneHot: (t, { columns }) => tf.oneHot(t.loose as tf.Tensor1D, columns + 1),
  "oneHot with values": (t, { columns }) => tf.oneHot(t.loose as tf.Tensor1D, columns + 1, 2.5, -1, "float32"),
  topk: (t, { columns }) => Object.values(tf.topk(t.a, Math.min(2, columns))),
  "topk with ties": (t, { columns }) => Object.values(tf.topk(t.i, columns)),
  embed: (t) => embed(t.a, t.ids),
  "gradient of embed": (t) => tf.grad((table) => tf.sum(tf.mul(embed(table, t.ids), t.updates)))(t.a),
}

const everyAxis = { sum: tf.sum, mean: tf.mean, prod: tf.prod, max: tf.max, min: tf.min }
const reducing: Record<string, Case> = {
  ...on(
    "all axes",
    each(everyAxis, (f, t) => f(t.a)),
  ),
  ...on(
    "axis 0",
    each(everyAxis, (f, t) => f(t.cube, 0)),
  ),
  ...on(
    "two axes",
    each(everyAxis, (f, t) => f(t.four, [1, -1], true)),
  ),
  ...on(
    "int32",
    each(everyAxis, (f, t) => f(t.i, 1)),
  ),
  ...on(
    "a scalar",
    each(everyAxis, (f) => f(tf.scalar(3))),
  ),
  ...on(
    "special values",
    each({ max: tf.max, min: tf.min, sum: tf.sum }, (f, t) => f(t.special)),
  ),
  "sums of columns": (t) => tf.sum(t.a, 0),
  "sums of columns, kept": (t) => tf.sum(t.a, 0, true),
  "sums of columns with special values": (t) => tf.sum(tf.reshape(t.special, [-1, 1]), 0),
  "sums of int32 columns": (t) => tf.sum(t.i, 0),
  "sum of bool": (t) => tf.sum(t.m, 1),
  "mean of bool": (t) => tf.mean(t.m, 0),
  all: (t) => tf.all(t.q, 1),
  any: (t) => tf.any(t.m, 0, true),
  argMax: (t) => tf.argMax(t.a, 0),
  "argMax with ties": (t) => tf.argMax(t.i, 1),
  "argMin with ties": (t) => tf.argMin(t.i, 1),
  cumsum: (t) => tf.cumsum(t.a, 1),
  "cumsum, exclusive and reverse": (t) => tf.cumsum(t.i, 0, true, true),
  cumprod: (t) => tf.cumprod(t.u, 1),
  "cumprod, exclusive": (t) => tf.cumprod(t.u, 0, true),
  "cumprod, reverse": (t) => tf.cumprod(t.u, 1, false, true),
  "cumprod, exclusive and reverse": (t) => tf.cumprod(t.u, 1, true, true),
  softmax: (t) => tf.softmax(t.cube),
  "tfjs's logSoftmax": (t) => tf.logSoftmax(t.cube),
  logSoftmax: (t) => logSoftmax(t.cube),
  logSumExp: (t) => tf.logSumExp(t.cube, 1),
}

/** Layer norms with an epsilon that keeps rows of nearly equal numbers well conditioned. */
const products: Record<string, Case> = {
  matMul: (t) => tf.matMul(t.a, t.b, false, true),
  "matMul, first transposed": (t) => tf.matMul(t.a, t.b, true, false),
  "matMul, both transposed": (t) => tf.matMul(t.a, tf.transpose(t.b), true, true),
  "matMul in a batch": (t) => tf.matMul(t.cube, t.other),
  "matMul in a batch, transposed": (t) => tf.matMul(t.cube, t.cube, false, true),
  "matMul that broadcasts": (t) => tf.matMul(tf.slice(t.cube, 0, 1), t.other),
  "einsum of attention scores": (t) => tf.einsum("bnik,bnjk->bnij", t.four, tf.sin(t.four)),
  "einsum that turns axes": (t) => tf.einsum("bij->jib", t.cube),
  "einsum that sums an axis of one operand": (t) => tf.einsum("bij,bjk->ki", t.cube, t.other),
  "einsum of an outer product": (t) => tf.einsum("i,j->ji", t.row, t.scalars),
  "fused matMul": (t) => tf.fused.matMul({ a: t.a, b: t.b, transposeB: true, activation: "relu" }),
  linear: (t) => linear(t.cube, tf.transpose(t.a), tf.slice(t.cube, [0, 0, 0], [1, -1, 1]).flatten() as tf.Tensor1D),
  layerNorm: (t) => layerNorm(t.cube, t.row as tf.Tensor1D, t.row as tf.Tensor1D, 0.5),
  "gradient of layerNorm": (t) =>
    tf.grads((x, gain) => tf.sum(tf.mul(layerNorm(x, gain as tf.Tensor1D, t.row as tf.Tensor1D, 0.5), t.b)))([
      t.a,
      t.row,
    ]),
  gelu: (t) => gelu(t.a),
  "gradient of gelu": (t) => tf.grad((x) => tf.sum(tf.mul(gelu(x), t.b)))(t.a),
}

/** Every case by its name. */
export const kernelCases: Readonly<Record<string, Case>> = {
  ...unary,
  ...binary,
  ...shapes,
  ...indexing,
  ...reducing,
  ...products,
}

/** All cases as the body of one function: outputs are named `case`, or `case.0`, `case.1`. */
export const kernelBody =
  (sizes: Sizes, only: (name: string) => boolean = () => true) =>
  (t: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> =>
    Object.fromEntries(
      Object.entries(kernelCases)
        .filter(([name]) => only(name))
        .flatMap(([name, run]) => {
          const made = run(t as Tensors, sizes)
          return made instanceof tf.Tensor ? [[name, made]] : made.map((tensor, i) => [`${name}.${i}`, tensor])
        }),
    )
