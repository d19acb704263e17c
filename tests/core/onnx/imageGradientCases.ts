/** Convolutions, pools, resizing and norms of images beside their plain loops. */
import { batchNorm, groupNorm } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import type { GradientCase } from "./gradientCases.js"
import {
  bilinear,
  conv2d,
  conv2dTranspose,
  depthwise,
  mean,
  nearest,
  normalise,
  pool,
  type Shape,
  type Window,
} from "./plain.js"

type F = tf.Tensor4D
type Pair = [number, number]
type Pads = "valid" | "same" | [[0, 0], Pair, Pair, [0, 0]]

const image: Shape = [2, 4, 5, 2]
const filter: Shape = [3, 2, 2, 3]

const window = (kernel: Pair, strides: Pair, dilation: number, before: Pair, output: Pair): Window => ({
  kernel,
  strides,
  dilation,
  before,
  output,
})

/** Strides, dilation, padding as tfjs takes it, and the window that this means for an image of 4 by 5 pixels. */
const convolutions: Readonly<Record<string, readonly [Pair, number, Pads, Window]>> = {
  "same padding": [[1, 1], 1, "same", window([3, 2], [1, 1], 1, [1, 0], [4, 5])],
  "no padding": [[1, 1], 1, "valid", window([3, 2], [1, 1], 1, [0, 0], [2, 4])],
  strides: [[2, 3], 1, "same", window([3, 2], [2, 3], 1, [0, 0], [2, 2])],
  "strides without padding": [[2, 2], 1, "valid", window([3, 2], [2, 2], 1, [0, 0], [1, 2])],
  "pairs of padding": [
    [2, 1],
    1,
    [
      [0, 0],
      [2, 1],
      [0, 1],
      [0, 0],
    ],
    window([3, 2], [2, 1], 1, [2, 0], [3, 5]),
  ],
  "padding wider than the filter": [
    [1, 1],
    1,
    [
      [0, 0],
      [3, 4],
      [2, 3],
      [0, 0],
    ],
    window([3, 2], [1, 1], 1, [3, 2], [9, 9]),
  ],
  dilation: [[1, 1], 2, "same", window([3, 2], [1, 1], 2, [2, 1], [4, 5])],
}

const convolutionCases = Object.entries(convolutions).flatMap(([name, [strides, dilation, pad, w]]) => {
  const entry = (op: string, made: GradientCase): readonly [string, GradientCase] => [`${op} with ${name}`, made]
  const small: Shape = [2, ...w.output, 3]
  const plainWindow = dilation === 1
  return [
    entry("conv2d", {
      shapes: [image, filter],
      op: (x, f) => tf.conv2d(x as F, f as F, strides, pad as "same", "NHWC", dilation),
      plain: (x, f) => conv2d(x!, image, f!, filter, w),
    }),
    ...(plainWindow
      ? [
          entry("conv2dTranspose", {
            shapes: [small, filter],
            op: (x, f) => tf.conv2dTranspose(x as F, f as F, [2, 4, 5, 2], strides, pad as "same"),
            plain: (x, f) => conv2dTranspose(x!, small, f!, filter, image, w),
          }),
          entry("depthwiseConv2d", {
            shapes: [image, filter],
            op: (x, f) => tf.depthwiseConv2d(x as F, f as F, strides[0], pad as "same"),
            plain: (x, f) => depthwise(x!, image, f!, filter, w),
          }),
        ].filter(([key]) => strides[0] === strides[1] || !key.startsWith("depthwise"))
      : []),
  ]
})

const pools: Readonly<Record<string, readonly [Pair, Pair, Pads, Window]>> = {
  "windows side by side": [[2, 2], [2, 2], "valid", window([2, 2], [2, 2], 1, [0, 0], [2, 2])],
  "windows that fill the image": [[2, 5], [2, 5], "valid", window([2, 5], [2, 5], 1, [0, 0], [2, 1])],
  "windows that overlap": [[3, 3], [1, 1], "valid", window([3, 3], [1, 1], 1, [0, 0], [2, 3])],
  "windows over the edge": [[3, 2], [2, 2], "same", window([3, 2], [2, 2], 1, [0, 0], [2, 3])],
  "windows apart": [[1, 2], [2, 3], "valid", window([1, 2], [2, 3], 1, [0, 0], [2, 2])],
}

const poolCases = Object.entries(pools).flatMap(
  ([name, [kernel, strides, pad, w]]): Array<[string, GradientCase]> => [
    [
      `maxPool of ${name}`,
      {
        shapes: [image],
        op: (x) => tf.maxPool(x as F, kernel, strides, pad as "same"),
        plain: (x) => pool(x!, image, w, (inside) => Math.max(...inside)),
      },
    ],
    [
      `avgPool of ${name}`,
      {
        shapes: [image],
        op: (x) => tf.avgPool(x as F, kernel, strides, pad as "same"),
        plain: (x) => pool(x!, image, w, mean),
      },
    ],
  ],
)

const sizes: ReadonlyArray<Pair> = [
  [8, 10],
  [3, 7],
  [12, 5],
]
const resizeCases = ["plain", "alignCorners", "halfPixelCenters"].flatMap((mode) =>
  sizes.flatMap(
    (size): Array<[string, GradientCase]> => [
      [
        `resizeNearestNeighbor to ${size}, ${mode}`,
        {
          shapes: [image],
          op: (x) => tf.image.resizeNearestNeighbor(x as F, size, mode === "alignCorners", mode === "halfPixelCenters"),
          plain: (x) => nearest(x!, image, size, mode),
        },
      ],
      [
        `resizeBilinear to ${size}, ${mode}`,
        {
          shapes: [image],
          op: (x) => tf.image.resizeBilinear(x as F, size, mode === "alignCorners", mode === "halfPixelCenters"),
          plain: (x) => bilinear(x!, image, size, mode),
        },
      ],
    ],
  ),
)

const wide: Shape = [2, 2, 3, 6]
const normCases: ReadonlyArray<readonly [string, GradientCase]> = [
  [
    "batchNorm",
    {
      shapes: [image, [2], [2]],
      op: (x, g, b) => batchNorm(x!, g as tf.Tensor1D, b as tf.Tensor1D, 0.1).y,
      plain: (x, g, b) => normalise(x!, image, g!, b!, 0.1, (index) => index[3]!),
    },
  ],
  [
    "tfjs's batchNorm",
    {
      shapes: [image, [2], [2], [2]],
      op: (x, m, g, b) =>
        tf.batchNorm(x!, m as tf.Tensor1D, tf.tensor1d([0.5, 2]), b as tf.Tensor1D, g as tf.Tensor1D, 0.1),
      plain: (x, m, g, b) =>
        x!.map((v, i) => ((v - m![i % 2]!) / Math.sqrt([0.5, 2][i % 2]! + 0.1)) * g![i % 2]! + b![i % 2]!),
    },
  ],
  ...[1, 2, 3, 6].map((groups): [string, GradientCase] => [
    `groupNorm of ${groups}`,
    {
      shapes: [wide, [6], [6]],
      op: (x, g, b) => groupNorm(x!, g as tf.Tensor1D, b as tf.Tensor1D, groups, 0.1),
      plain: (x, g, b) => normalise(x!, wide, g!, b!, 0.1, ([n, , , c]) => n! * groups + Math.floor((c! * groups) / 6)),
    },
  ]),
]

export const imageGradientCases: Readonly<Record<string, GradientCase>> = Object.fromEntries([
  ...convolutionCases,
  ...poolCases,
  ...resizeCases,
  ...normCases,
])
