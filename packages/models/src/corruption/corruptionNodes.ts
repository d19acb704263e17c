/** What the small images of upsamplers go through in training, as nodes. */
import { defineTensorNode, tensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { Size } from "../layers/sizes.js"
import { blur, gaussianTaps } from "./blur.js"
import { degrade } from "./degrade.js"
import { resizeImage } from "./resizeImage.js"

const image = tensor("float32", "b y x c", "[-1,1]")
const colours = tensor("float32", "b y x 3", "[-1,1]")

export const corruption = {
  /** Gaussian blur alike for all images. unCLIP's first upsampler: 3 neighbours, σ 0.6. */
  blur: defineTensorNode({
    type: "corruption.blur",
    version: 1,
    source: "Ramesh et al. 2022, section 2.1; Saharia et al. 2021",
    config: Schema.Struct({
      taps: Size.check(Schema.makeFilter((taps) => (taps % 2 === 1 ? undefined : `taps ${taps} must be odd`))),
      sigma: Schema.Finite.check(Schema.isGreaterThan(0)),
    }),
    ports: () => ({ in: { image }, out: image }),
    apply: ({ taps, sigma }, _, { image }) => {
      const weights = tf.tensor2d([...gaussianTaps(taps, sigma)], [1, taps])
      return blur(image, weights, weights)
    },
  }),

  /** Blur, lost resolution, noise and JPEG in an order of chance, from the draws of `drawDegradation`. */
  degrade: defineTensorNode({
    type: "corruption.degrade",
    version: 2,
    source: "Zhang et al. 2021, section 3",
    config: Schema.Struct({}),
    ports: () => ({
      in: {
        image: colours,
        order: tensor("int32", "b 4", "operation"),
        rows: tensor("float32", "b k", "weight"),
        columns: tensor("float32", "b k", "weight"),
        resampling: tensor("int32", "b", "resampling"),
        level: tensor("float32", "b", "[-1,1]"),
        noise: tensor("float32", "b y x 3", "noise"),
        quality: tensor("float32", "b", "quality"),
      },
      out: colours,
    }),
    apply: (_config, _params, { image, ...draws }) => degrade(image, draws),
  }),

  /** Other sides: `bilinear` (GLIDE) or `bicubic` (Karlo). */
  resize: defineTensorNode({
    type: "corruption.resize",
    version: 1,
    source: "Keys 1981",
    config: Schema.Struct({ rows: Size, columns: Size, resampling: Schema.Literals(["bilinear", "bicubic"]) }),
    ports: ({ rows, columns }) => ({
      in: { image: tensor("float32", "b r q c", "[-1,1]") },
      out: image,
      sizes: { y: rows, x: columns },
    }),
    apply: ({ rows, columns, resampling }, _, { image }) => resizeImage(image, [rows, columns], resampling),
  }),
}
