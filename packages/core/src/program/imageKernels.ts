/** Rows of the kernel table for kernels of images: convolutions, pools, resizing. Images are [b, y, x, c] unless `dataFormat` is NCHW. */
import type { TensorSpec } from "../tensor.js"
import type { Kernel } from "./kernels.js"
import { type Attrs, input, numbersOf } from "./shapes.js"
import { lastShape, ownShape, type Pair, windowAttrs, windowOf } from "./windows.js"

type Row = readonly [string, Kernel]
type Inputs = ReadonlyArray<TensorSpec>

/** How many of a kernel's first inputs are images, and whether its result is one. */
export interface ImageKernel {
  readonly images: number
  readonly result: boolean
}

const sizeIn = (attrs: Attrs, { shape }: TensorSpec): Pair => {
  const [, rows, columns] = lastShape(attrs, shape)
  return [rows!, columns!]
}

const image = (dtype: TensorSpec["dtype"], attrs: Attrs, shape: ReadonlyArray<number>): ReadonlyArray<TensorSpec> => [
  { dtype, shape: ownShape(attrs, shape) },
]

const taps = ({ shape }: TensorSpec): Pair => [shape[0]!, shape[1]!]

const expectChannels = (found: number, wanted: number): void => {
  if (found !== wanted) throw new Error(`the image has ${found} channels, the filter ${wanted}`)
}

/** The shape of a convolution; `depthwise` filters are [y, x, c, m] and make c · m channels. */
const convolution = (depthwise: boolean, names: ReadonlyArray<string>): Kernel => ({
  inputs: names,
  normal: (attrs, ins) => windowAttrs(attrs, input(ins).shape, taps(input(ins, 1))),
  infer: (ins, attrs) => {
    const [x, filter] = [input(ins), input(ins, 1)]
    const [batch, , , channels] = lastShape(attrs, x.shape)
    const [, , from, to] = filter.shape
    expectChannels(channels!, from!)
    const { output } = windowOf(attrs, sizeIn(attrs, x), taps(filter))
    return image(x.dtype, attrs, [batch!, ...output, depthwise ? from! * to! : to!])
  },
})

/** An attribute that names a shape in the order of the tensors, brought to channels last. */
const inputShape = (attrs: Attrs): Attrs => ({ ...attrs, inputShape: lastShape(attrs, numbersOf(attrs, "inputShape")) })

const inputGradient = (): Kernel => ({
  inputs: ["dy", "filter"],
  normal: (attrs, ins) => inputShape(windowAttrs(attrs, numbersOf(attrs, "inputShape"), taps(input(ins, 1)))),
  infer: (ins, attrs) => {
    const last = numbersOf(attrs, "inputShape")
    expectChannels(last[3]!, input(ins, 1).shape[2]!)
    const { output } = windowOf(attrs, [last[1]!, last[2]!], taps(input(ins, 1)))
    const found = sizeIn(attrs, input(ins))
    if (String(found) !== String(output)) throw new Error(`the gradient has ${found} pixels, the convolution ${output}`)
    return image("float32", attrs, last)
  },
})

const filterGradient = (): Kernel => ({
  inputs: ["x", "dy"],
  normal: (attrs, ins) => {
    const [rows, columns] = numbersOf(attrs, "filterShape")
    return windowAttrs(attrs, input(ins).shape, [rows!, columns!])
  },
  infer: (_, attrs) => [{ dtype: "float32", shape: numbersOf(attrs, "filterShape") }],
})

const poolSize = (attrs: Attrs): Pair => {
  const [rows, columns] = numbersOf(attrs, "filterSize")
  return [rows!, columns ?? rows!]
}

const poolAttrs = (attrs: Attrs, { shape }: TensorSpec): Attrs => ({
  ...windowAttrs(attrs, shape, poolSize(attrs)),
  filterSize: [...poolSize(attrs)],
})

const pool = (): Kernel => ({
  inputs: ["x"],
  normal: (attrs, ins) => poolAttrs(attrs, input(ins)),
  infer: (ins, attrs) => {
    const x = input(ins)
    const [batch, , , channels] = lastShape(attrs, x.shape)
    const { output } = windowOf(attrs, sizeIn(attrs, x), poolSize(attrs))
    return image(x.dtype, attrs, [batch!, ...output, channels!])
  },
})

const poolGradient = (names: ReadonlyArray<string>): Kernel => ({
  inputs: names,
  normal: (attrs, ins) => poolAttrs(attrs, input(ins, 1)),
  infer: (ins) => [{ dtype: "float32", shape: input(ins, 1).shape }],
})

const resizeAttrs = (attrs: Attrs): Attrs => ({
  dataFormat: attrs.dataFormat ?? "NHWC",
  alignCorners: attrs.alignCorners === true,
  halfPixelCenters: attrs.halfPixelCenters === true,
  ...(attrs.size === undefined ? {} : { size: numbersOf(attrs, "size") }),
})

const resize = (dtype: (ins: Inputs) => TensorSpec["dtype"]): Kernel => ({
  inputs: ["images"],
  normal: resizeAttrs,
  infer: (ins, attrs) => {
    const [batch, , , channels] = lastShape(attrs, input(ins).shape)
    return image(dtype(ins), attrs, [batch!, ...numbersOf(attrs, "size"), channels!])
  },
})

const resizeGradient = (): Kernel => ({
  inputs: ["dy", "images"],
  normal: resizeAttrs,
  infer: (ins) => [{ dtype: "float32", shape: input(ins, 1).shape }],
})

/** Rows of the kernel table. */
export const imageKernels: ReadonlyArray<Row> = [
  ["Conv2D", convolution(false, ["x", "filter"])],
  // The bias is [c]; the activation is `linear`: tfjs's others are written out beside it.
  ["FusedConv2D", convolution(false, ["x", "filter", "bias"])],
  ["Conv2DBackpropInput", inputGradient()],
  ["Conv2DBackpropFilter", filterGradient()],
  ["DepthwiseConv2dNative", convolution(true, ["x", "filter"])],
  ["DepthwiseConv2dNativeBackpropInput", inputGradient()],
  ["DepthwiseConv2dNativeBackpropFilter", filterGradient()],
  ["MaxPool", pool()],
  ["MaxPoolGrad", poolGradient(["dy", "input", "output"])],
  ["AvgPool", pool()],
  ["AvgPoolGrad", poolGradient(["dy", "input"])],
  ["ResizeNearestNeighbor", resize((ins) => input(ins).dtype)],
  ["ResizeNearestNeighborGrad", resizeGradient()],
  ["ResizeBilinear", resize(() => "float32")],
  ["ResizeBilinearGrad", resizeGradient()],
]

/** Which operands of these kernels are images. */
export const imageOperands: ReadonlyMap<string, ImageKernel> = new Map<string, ImageKernel>([
  ["Conv2D", { images: 1, result: true }],
  ["FusedConv2D", { images: 1, result: true }],
  ["Conv2DBackpropInput", { images: 1, result: true }],
  ["Conv2DBackpropFilter", { images: 2, result: false }],
  ["DepthwiseConv2dNative", { images: 1, result: true }],
  ["DepthwiseConv2dNativeBackpropInput", { images: 1, result: true }],
  ["DepthwiseConv2dNativeBackpropFilter", { images: 2, result: false }],
  ["MaxPool", { images: 1, result: true }],
  ["MaxPoolGrad", { images: 3, result: true }],
  ["AvgPool", { images: 1, result: true }],
  ["AvgPoolGrad", { images: 2, result: true }],
  ["ResizeNearestNeighbor", { images: 1, result: true }],
  ["ResizeNearestNeighborGrad", { images: 2, result: true }],
  ["ResizeBilinear", { images: 1, result: true }],
  ["ResizeBilinearGrad", { images: 2, result: true }],
  ["GroupUnit", { images: 1, result: true }],
])
