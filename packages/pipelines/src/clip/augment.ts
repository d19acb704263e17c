/**
 * Augmentation: an image moved, sized, turned and coloured a little otherwise each time, so that what is learnt is what stays.
 * Every draw is a function of a key.
 * Axes     y x image row and column, c channels
 */
import { type Key, random, split } from "@millrace/core"
import { Schema } from "effect"
import { pixelRanges, writePixels } from "../images/pixels.js"
import { Fraction, Positive, PositiveOrZero } from "../ranges.js"
import { withDetail } from "./detail.js"
import { warpOf } from "./warp.js"

/** How far an image may be changed. What is left out is not done. */
export const AugmentConfig = Schema.Struct({
  /** The largest move each way, of the image's side. */
  shift: Schema.optionalKey(Fraction),
  /** The image's size of what it was, drawn evenly by its logarithm. Above 1 it is cut, below 1 its edge goes on. */
  scale: Schema.optionalKey(Schema.Tuple([Positive, Positive])),
  /** The largest turn either way, in degrees. */
  turn: Schema.optionalKey(PositiveOrZero),
  /** The share of images that are mirrored. */
  mirror: Schema.optionalKey(Fraction),
  /** Added to all channels, at most, where white is 1. */
  brightness: Schema.optionalKey(Fraction),
  /** Contrast is multiplied with 1 ± this at most; so is saturation. */
  contrast: Schema.optionalKey(Fraction),
  saturation: Schema.optionalKey(Fraction),
  /** The largest turn of the hue either way, in degrees. */
  hue: Schema.optionalKey(PositiveOrZero),
  /** The share of images without colour. */
  grey: Schema.optionalKey(Fraction),
  /** The largest move of a part of the image against the rest each way, of its side: `warpOf`. */
  warp: Schema.optionalKey(Fraction),
  /** Detail is multiplied with 1 ± this at most: `withDetail`. */
  detail: Schema.optionalKey(Fraction),
  /** The largest side of a rectangle that is covered with the mean colour, of the image's. */
  cover: Schema.optionalKey(Fraction),
})
export type AugmentConfig = typeof AugmentConfig.Type

const radians = Math.PI / 180
/** Luma of red, green and blue. */
const luma = [0.299, 0.587, 0.114] as const

/**
 * The place in the source of each place of the result, as a matrix about the middle.
 * @param u  draws in [0, 1)
 */
const placesOf = ({ shift = 0, scale = [1, 1], turn = 0, mirror = 0 }: AugmentConfig, u: Float32Array) => {
  const [least, most] = scale
  const size = least * (most / least) ** u[0]!
  const angle = (2 * u[1]! - 1) * turn * radians
  const side = u[2]! < mirror ? -1 : 1
  return {
    xx: (side * Math.cos(angle)) / size,
    xy: (side * Math.sin(angle)) / size,
    yx: -Math.sin(angle) / size,
    yy: Math.cos(angle) / size,
    right: (2 * u[3]! - 1) * shift,
    down: (2 * u[4]! - 1) * shift,
  }
}

/** Of a colour: a matrix of nine, by rows, and what is added. Saturation and hue keep the luma. */
const colourOf = (
  { brightness = 0, contrast = 0, saturation = 0, hue = 0, grey = 0 }: AugmentConfig,
  u: Float32Array,
) => {
  const stretch = 1 + (2 * u[6]! - 1) * contrast
  const vivid = u[9]! < grey ? 0 : 1 + (2 * u[7]! - 1) * saturation
  const angle = (2 * u[8]! - 1) * hue * radians
  const [cos, sin] = [Math.cos(angle) * vivid, Math.sin(angle) * vivid]
  // A turn about the axis of greys: cos · 1 + (1 − cos) · mean + sin · cross, and the luma taken out and put back.
  const third = 1 / 3
  const root = sin / Math.sqrt(3)
  const turned = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => {
      const across = row === column ? 0 : (column - row + 3) % 3 === 1 ? -root : root
      return (row === column ? cos : 0) + (vivid - cos) * third + across
    }),
  )
  const matrix = turned.map((entry, i) => {
    const column = i % 3
    const kept = [0, 1, 2].reduce((sum, row) => sum + luma[row]! * turned[row * 3 + column]!, 0)
    return stretch * (entry + luma[column]! - kept)
  })
  return { matrix, offset: 0.5 * (1 - stretch) + (2 * u[5]! - 1) * brightness }
}

/** Covers a rectangle of an image in a batch, of which any part may lie outside, with the mean colour. */
const cover = (most: number, size: number, key: Key, batch: Float32Array, at: number): void => {
  const [tall = 0, wide = 0, down = 0, right = 0] = random.uniform(key, [4]).data
  const span = (middle: number, side: number) => {
    const from = Math.round(middle * size - (side * most * size) / 2)
    return [Math.max(0, from), Math.min(size, from + Math.round(side * most * size))] as const
  }
  const [top, bottom] = span(down, tall)
  const [left, end] = span(right, wide)
  for (let y = top; y < bottom; y++)
    batch.fill(0, at + (y * size + left) * 3, at + (y * size + Math.max(left, end)) * 3)
}

/**
 * Writes one image, changed as the key draws it, into a batch as `clip.preprocess` would have it.
 * @param pixels  y x c, `size` each way
 * @param batch   written from element `at` on
 * @law   with nothing to change it is `writePixels`
 */
export const writeAugmented = (
  config: AugmentConfig,
  pixels: Uint8Array,
  size: number,
  key: Key,
  batch: Float32Array,
  at: number,
): void => {
  if (Object.keys(config).length === 0) {
    writePixels(pixelRanges.clip, pixels, batch, at)
    return
  }
  const u = random.uniform(key, [10]).data
  const { xx, xy, yx, yy, right, down } = placesOf(config, u)
  const { matrix, offset } = colourOf(config, u)
  // These have draws of their own: what the others draw does not depend on whether they are asked for.
  const warp = config.warp === undefined ? undefined : warpOf(split(key, "warp"), size, config.warp * size)
  const source =
    config.detail === undefined
      ? pixels
      : withDetail(pixels, size, 1 + (2 * random.uniform(split(key, "detail"), [1]).data[0]! - 1) * config.detail)
  const [rr, rg, rb, gr, gg, gb, br, bg, bb] = matrix as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [scaleR, scaleG, scaleB] = pixelRanges.clip.scale.map((scale) => scale * 255) as [number, number, number]
  const [shiftR, shiftG, shiftB] = pixelRanges.clip.shift
  const middle = (size - 1) / 2
  const last = size - 1
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const place = y * size + x
      const dx = x - middle - right * size + (warp === undefined ? 0 : warp[0][place]!)
      const dy = y - middle - down * size + (warp === undefined ? 0 : warp[1][place]!)
      const fromX = Math.min(last, Math.max(0, middle + xx * dx + xy * dy))
      const fromY = Math.min(last, Math.max(0, middle + yx * dx + yy * dy))
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
      const [tx, ty] = [fromX - left, fromY - top]
      const a = (top * size + left) * 3
      const b = left === last ? a : a + 3
      const below = top === last ? 0 : size * 3
      const mix = (c: number): number => {
        const above = source[a + c]! + (source[b + c]! - source[a + c]!) * tx
        const under = source[a + below + c]! + (source[b + below + c]! - source[a + below + c]!) * tx
        return (above + (under - above) * ty) / 255
      }
      const [r, g, bl] = [mix(0), mix(1), mix(2)]
      const out = at + place * 3
      batch[out] = clamp(rr * r + rg * g + rb * bl + offset) * scaleR + shiftR
      batch[out + 1] = clamp(gr * r + gg * g + gb * bl + offset) * scaleG + shiftG
      batch[out + 2] = clamp(br * r + bg * g + bb * bl + offset) * scaleB + shiftB
    }
  }
  if (config.cover !== undefined) cover(config.cover, size, split(key, "cover"), batch, at)
}

const clamp = (x: number): number => (x < 0 ? 0 : x > 1 ? 1 : x)
