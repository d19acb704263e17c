/** One call of every kernel, on operands of any type, for the table of what each engine supports. */
import { cachedAttention, embed, gelu, groupNorm, layerNorm, logSoftmax, silu } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { along, einsum, type Values } from "../onnx/plain.js"

/** a, b [3, 4] and an image [2, 4, 6, 2] of the type that is asked for; `ids` are rows of a. */
export interface Operands {
  readonly a: tf.Tensor2D
  readonly b: tf.Tensor2D
  readonly image: tf.Tensor4D
  readonly ids: tf.Tensor1D
}

type Call = (t: Operands) => tf.Tensor | ReadonlyArray<tf.Tensor>

export interface Probe {
  readonly call: Call
  /** The case whose slope the gradient is compared with; absent where tfjs has no gradient. */
  readonly slope?: string
  /** The result for float32 as plain loops give it, where tfjs is known to give another. */
  readonly plain?: (a: Values, b: Values) => Values
}

const probe = (call: Call, slope?: string): Probe => (slope === undefined ? { call } : { call, slope })

const unary = (
  names: Readonly<Record<string, readonly [(x: tf.Tensor) => tf.Tensor, string?]>>,
): Record<string, Probe> =>
  Object.fromEntries(Object.entries(names).map(([kernel, [f, slope]]) => [kernel, probe(({ a }) => f(a), slope)]))
const binary = (
  names: Readonly<Record<string, readonly [(a: tf.Tensor, b: tf.Tensor) => tf.Tensor, string?]>>,
): Record<string, Probe> =>
  Object.fromEntries(Object.entries(names).map(([kernel, [f, slope]]) => [kernel, probe(({ a, b }) => f(a, b), slope)]))

const filter = (): tf.Tensor4D => tf.cos(tf.reshape(tf.range(0, 36), [3, 2, 2, 3])) as tf.Tensor4D
const small = ({ image }: Operands): tf.Tensor4D =>
  tf.slice(tf.concat([image, image], 3), 0, [2, 4, 6, 3]) as tf.Tensor4D
const run = (kernel: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor =>
  tf.engine().runKernel<tf.Tensor>(kernel, inputs, attrs)
const window = { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1] }
const pool = { filterSize: [2, 2], strides: [2, 2], pad: "valid" }

export const probes: Readonly<Record<string, Probe>> = {
  ...unary({
    Abs: [tf.abs, "abs"],
    Acos: [tf.acos, "acos"],
    Asin: [tf.asin, "asin"],
    Asinh: [tf.asinh, "asinh"],
    Atan: [tf.atan, "atan"],
    Atanh: [tf.atanh, "atanh"],
    Ceil: [tf.ceil, "ceil"],
    Cos: [tf.cos, "cos"],
    Cosh: [tf.cosh, "cosh"],
    Elu: [tf.elu, "elu"],
    Erf: [tf.erf, "erf"],
    Exp: [tf.exp, "exp"],
    Expm1: [tf.expm1, "expm1"],
    Floor: [tf.floor, "floor"],
    GeluTanh: [gelu, "gelu"],
    IsFinite: [tf.isFinite],
    IsInf: [tf.isInf],
    IsNan: [tf.isNaN],
    Log: [tf.log, "log"],
    Log1p: [tf.log1p, "log1p"],
    LogicalNot: [tf.logicalNot],
    LogSoftmax: [logSoftmax, "logSoftmax"],
    Neg: [tf.neg, "neg"],
    OnesLike: [tf.onesLike, "onesLike"],
    QuickGelu: [silu, "silu"],
    Reciprocal: [tf.reciprocal, "reciprocal"],
    Relu: [tf.relu, "relu"],
    Relu6: [tf.relu6, "relu6"],
    Round: [tf.round, "round"],
    Rsqrt: [tf.rsqrt, "rsqrt"],
    Selu: [tf.selu, "selu"],
    Sigmoid: [tf.sigmoid, "sigmoid"],
    Sign: [tf.sign, "sign"],
    Sin: [tf.sin, "sin"],
    Sinh: [tf.sinh, "sinh"],
    Softmax: [tf.softmax, "tfjs's softmax"],
    Softplus: [tf.softplus, "softplus"],
    Sqrt: [tf.sqrt, "sqrt"],
    Square: [tf.square, "square"],
    Tan: [tf.tan, "tan"],
    Tanh: [tf.tanh, "tanh"],
    ZerosLike: [tf.zerosLike, "zerosLike"],
  }),
  Acosh: probe(({ a, b }) => tf.acosh(tf.add(tf.add(a, b), tf.onesLike(a))), "acosh"),
  ClipByValue: probe(({ a }) => tf.clipByValue(a, 0.3, 0.8), "clip"),
  LeakyRelu: probe(({ a }) => tf.leakyRelu(a, 0.1), "leakyRelu"),
  Step: probe(({ a }) => tf.step(a, 0.3), "step"),
  Identity: probe(({ a }) => tf.clone(a), "reshape"),
  Cast: probe(({ a }) => [tf.cast(a, "float32"), tf.cast(a, "int32"), tf.cast(a, "bool")]),
  ...binary({
    Add: [tf.add, "add"],
    Atan2: [tf.atan2, "atan2"],
    Equal: [tf.equal],
    FloorDiv: [tf.floorDiv, "floorDiv"],
    Greater: [tf.greater],
    GreaterEqual: [tf.greaterEqual, "greaterEqual"],
    Less: [tf.less, "less"],
    LessEqual: [tf.lessEqual],
    LogicalAnd: [tf.logicalAnd],
    LogicalOr: [tf.logicalOr],
    Maximum: [tf.maximum, "maximum"],
    Minimum: [tf.minimum, "minimum"],
    Mod: [tf.mod, "mod"],
    Multiply: [tf.mul, "mul"],
    NotEqual: [tf.notEqual],
    Pow: [tf.pow, "pow"],
    Prelu: [tf.prelu, "prelu"],
    RealDiv: [tf.div, "div"],
    SquaredDifference: [tf.squaredDifference, "squaredDifference"],
    Sub: [tf.sub, "sub"],
  }),
  AddN: probe(({ a, b }) => tf.addN([a, b, a]), "addN"),
  Select: probe(
    ({ a, b }) =>
      tf.where(
        tf.tensor2d(
          [
            [1, 0, 1, 0],
            [0, 0, 1, 1],
            [1, 1, 1, 0],
          ],
          undefined,
          "bool",
        ),
        a,
        b,
      ),
    "where",
  ),
  EluGrad: probe(({ a, b }) => run("EluGrad", { dy: a, y: b }, {})),

  Concat: probe(({ a, b }) => tf.concat([a, b], 1), "concat"),
  ExpandDims: probe(({ a }) => tf.expandDims(a, 1), "reshape"),
  MirrorPad: probe(
    ({ a }) =>
      tf.mirrorPad(
        a,
        [
          [1, 1],
          [2, 0],
        ],
        "reflect",
      ),
    "mirrorPad",
  ),
  Pack: probe(({ a, b }) => tf.stack([a, b], 1), "stack"),
  PadV2: probe(
    ({ a }) =>
      tf.pad(a, [
        [1, 0],
        [0, 2],
      ]),
    "pad",
  ),
  Reshape: probe(({ a }) => tf.reshape(a, [4, 3]), "reshape"),
  Reverse: probe(({ a }) => tf.reverse(a, 1), "reverse"),
  Slice: probe(({ a }) => tf.slice(a, [1, 0], [2, 3]), "slice"),
  SplitV: probe(({ a }) => tf.split(a, 2, 1), "split"),
  StridedSlice: probe(({ a }) => tf.stridedSlice(a, [0, 3], [3, 0], [2, -1])),
  Tile: probe(({ a }) => tf.tile(a, [2, 1]), "tile"),
  Transpose: probe(({ a }) => tf.transpose(a), "transpose"),
  Unpack: probe(({ a }) => tf.unstack(a, 1), "unstack"),
  BatchToSpaceND: probe(({ a }) => tf.batchToSpaceND(tf.reshape(a, [4, 1, 3]), [2], [[0, 1]]), "batchToSpace"),
  SpaceToBatchND: probe(({ a }) => tf.spaceToBatchND(tf.reshape(a, [1, 3, 4]), [2], [[0, 1]]), "spaceToBatch"),
  DepthToSpace: probe(({ image }) => tf.depthToSpace(tf.concat([image, image], 3) as tf.Tensor4D, 2)),

  CachedAttention: probe(({ a, b, image }) => {
    const tables = tf.reshape(image, [2, 2, 12, 2])
    const made = cachedAttention(tf.reshape(tf.concat([a, b]), [2, 12]), tables, tables, tf.tensor1d([3, 0], "int32"))
    return [made.attended, made.keys, made.values]
  }),
  EmbedGrad: probe(({ a, ids }) => tf.grad((x) => embed(x, ids))(tf.zerosLike(a))),
  GatherNd: probe(({ a, ids }) => tf.gatherND(a, tf.expandDims(ids, 1))),
  GatherV2: probe(({ a, ids }) => tf.gather(a, ids), "gather"),
  OneHot: probe(({ a, ids }) => tf.oneHot(ids, 4, 1, 0, a.dtype as "float32")),
  ScatterNd: probe(({ a, ids }) => tf.scatterND(tf.expandDims(ids, 1), a, [4, 4])),
  TensorScatterUpdate: probe(({ a, b }) =>
    tf.tensorScatterUpdate(a, tf.tensor2d([[2], [0]], [2, 1], "int32"), tf.slice(b, 0, [2, 4])),
  ),
  TopK: probe(({ a }) => Object.values(tf.topk(a, 2))),
  UnsortedSegmentSum: probe(({ a, ids }) => tf.unsortedSegmentSum(a, ids, 3), "unsortedSegmentSum"),

  Fill: probe(({ a }) => tf.fill([2, 3], 1, a.dtype as "float32")),
  LinSpace: probe(() => tf.linspace(-1, 2, 5)),
  Range: probe(({ a }) => tf.range(7, 1, -2, a.dtype as "float32")),

  All: probe(({ a }) => tf.all(a, 1)),
  Any: probe(({ a }) => tf.any(a, 0)),
  ArgMax: probe(({ a }) => tf.argMax(a, 1)),
  ArgMin: probe(({ a }) => tf.argMin(a, 0)),
  Cumprod: probe(({ a }) => tf.cumprod(a, 1)),
  "Cumprod, last axis as −1": {
    call: ({ a }) => tf.cumprod(a, -1),
    plain: (a) => along(a, [3, 4], 1, (r) => r.map((_, i) => r.slice(0, i + 1).reduce((x, y) => x * y))),
  },
  Cumsum: probe(({ a }) => tf.cumsum(a, 1), "cumsum"),
  Max: probe(({ a }) => tf.max(a, 1), "max"),
  Mean: probe(({ a }) => tf.mean(a, 1), "mean"),
  Min: probe(({ a }) => tf.min(a, 0), "min"),
  Prod: probe(({ a }) => tf.prod(a, 1), "prod"),
  Sum: probe(({ a }) => tf.sum(a, 0), "sum"),
  SumOfSquares: probe(({ a }) => tf.sum(tf.square(a))),

  BatchMatMul: probe(({ a, b }) => tf.matMul(a, b, false, true), "matMul"),
  ScaledMatMul: probe(({ a, b }) => tf.mul(tf.matMul(a, b, false, true), tf.scalar(2, a.dtype as "float32"))),
  _FusedMatMul: probe(({ a, b }) => tf.fused.matMul({ a, b, transposeB: true, activation: "relu" }), "linear"),
  "_FusedMatMul of matrices": probe(({ a, b }) =>
    run("_FusedMatMul", { a, b }, { transposeA: false, transposeB: true, activation: "relu" }),
  ),
  Einsum: probe(({ a, b }) => tf.einsum("ij,kj->ki", a, b), "einsum of attention"),
  "Einsum, an index summed in one operand": {
    call: ({ a, b }) => tf.einsum("ij,kj->k", a, b),
    plain: (a, b) =>
      einsum("ij,kj->k", [
        [a, [3, 4]],
        [b, [3, 4]],
      ]),
  },
  LayerNorm: probe(({ a }) => layerNorm(a, tf.ones([4]), tf.ones([4])), "layerNorm"),

  Conv2D: probe(({ image }) => tf.conv2d(image, filter(), 1, "same"), "conv2d with same padding"),
  Conv2DBackpropFilter: probe((t) =>
    run("Conv2DBackpropFilter", { x: t.image, dy: small(t) }, { ...window, filterShape: [3, 2, 2, 3] }),
  ),
  Conv2DBackpropInput: probe(
    (t) => tf.conv2dTranspose(small(t), filter(), [2, 4, 6, 2], 1, "same"),
    "conv2dTranspose with same padding",
  ),
  DepthwiseConv2dNative: probe(
    ({ image }) => tf.depthwiseConv2d(image, filter(), 1, "same"),
    "depthwiseConv2d with same padding",
  ),
  DepthwiseConv2dNativeBackpropFilter: probe((t) =>
    run("DepthwiseConv2dNativeBackpropFilter", { x: t.image, dy: t.image }, { ...window, filterShape: [3, 2, 2, 1] }),
  ),
  DepthwiseConv2dNativeBackpropInput: probe((t) =>
    run(
      "DepthwiseConv2dNativeBackpropInput",
      { dy: t.image, filter: tf.slice(filter(), 0, [3, 2, 2, 1]) },
      { ...window, inputShape: [2, 4, 6, 2] },
    ),
  ),
  FusedConv2D: probe(({ image }) =>
    tf.fused.conv2d({ x: image, filter: filter(), strides: 1, pad: "same", bias: tf.ones([3]), activation: "relu" }),
  ),
  FusedDepthwiseConv2D: probe(({ image }) =>
    tf.fused.depthwiseConv2d({
      x: image,
      filter: filter(),
      strides: 1,
      pad: "same",
      bias: tf.ones([6]),
      activation: "relu6",
    }),
  ),
  AvgPool: probe(({ image }) => tf.avgPool(image, [3, 2], 2, "same"), "avgPool of windows over the edge"),
  AvgPoolGrad: probe(({ image }) => run("AvgPoolGrad", { dy: tf.slice(image, 0, [2, 2, 3, 2]), input: image }, pool)),
  MaxPool: probe(({ image }) => tf.maxPool(image, [3, 2], 2, "same"), "maxPool of windows over the edge"),
  MaxPoolGrad: probe(({ image }) =>
    run(
      "MaxPoolGrad",
      { dy: tf.slice(image, 0, [2, 2, 3, 2]), input: image, output: tf.maxPool(image, 2, 2, "valid") },
      pool,
    ),
  ),
  ResizeBilinear: probe(
    ({ image }) => tf.image.resizeBilinear(image, [3, 7], false, true),
    "resizeBilinear to 3,7, halfPixelCenters",
  ),
  ResizeBilinearGrad: probe(({ image }) =>
    tf.grad((x) => tf.image.resizeBilinear(x as tf.Tensor4D, [3, 7]))(tf.cast(image, "float32")),
  ),
  ResizeNearestNeighbor: probe(
    ({ image }) => tf.image.resizeNearestNeighbor(image, [8, 12]),
    "resizeNearestNeighbor to 8,10, plain",
  ),
  ResizeNearestNeighborGrad: probe(({ image }) =>
    tf.grad((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [8, 12]))(tf.cast(image, "float32")),
  ),
  FusedBatchNorm: probe(
    ({ image }) =>
      tf.batchNorm(image, tf.tensor1d([1, 2]), tf.tensor1d([1, 2]), tf.tensor1d([3, 1]), tf.tensor1d([1, 4])),
    "tfjs's batchNorm",
  ),
  GroupUnit: probe(({ image }) => groupNorm(image, tf.ones([2]), tf.ones([2]), 2), "groupNorm of 2"),
}
