import {
  type DvaeConfig,
  type DvaeParams,
  dvaeDecoderParams,
  dvaeEncoderParams,
  type PixelStats,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectThat, values } from "./close.js"
import { float, grid, ids, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** An encoder and a decoder of one shape. */
export interface Coder {
  /** b y x c in [0, 1] to logits b s k */
  readonly encode: (config: DvaeConfig, p: DvaeParams, image: tf.Tensor) => tf.Tensor
  /** Codes b s to the distributions of pixels, b y x c */
  readonly decodeCodes: (config: DvaeConfig, p: DvaeParams, codes: tf.Tensor) => PixelStats
  /** Relaxed codes b s k to the same */
  readonly decode: (config: DvaeConfig, p: DvaeParams, relaxed: tf.Tensor) => PixelStats
}

/** Sides are halved once: a place is 2 pixels wide. */
const shape = { vocab: 3, groups: 2, blocks: 1, width: 4, first: 2, channels: 1 }
/** A line of places that sees its whole middle, and one more. */
const [line, room] = [20, 21]
const long: DvaeConfig = { ...shape, rows: 1, columns: line }
const oblong: DvaeConfig = { ...shape, rows: 2, columns: 3 }

const pixel = fc.integer({ min: 0, max: 1024 }).map((n) => n / 1024)
const seeds = size(0, 20)

export const dvaeCoderLaws = ({ encode, decodeCodes, decode }: Coder): ReadonlyArray<Law> => {
  const paramsOf = (which: "encoder" | "decoder", seed: number): DvaeParams => {
    const specs = which === "encoder" ? dvaeEncoderParams(long) : dvaeDecoderParams(long)
    return tensorsOf(specs, testParams(specs, seed, 0.4)) as DvaeParams
  }
  /** A part of a line of pixels or codes, far from both of its ends. */
  const middle = (x: ReadonlyArray<number>, each: number, from: number, count: number): ReadonlyArray<number> =>
    x.slice(each * from, each * (from + count))

  return [
    law(
      "an image that moved by a code's width has its logits moved by a place, away from the sides",
      fc.tuple(seeds, grid([2, 2 * room], pixel)),
      ([seed, pixels]) => {
        const p = paramsOf("encoder", seed)
        const cut = (from: number): ReadonlyArray<number> => {
          const image = tf.slice(float([1, 2, 2 * room, 1], pixels), [0, 0, from, 0], [1, 2, 2 * line, 1])
          return values(encode(long, p, image))
        }
        // A code sees 12 pixels to either side: 3 of the first kernel, 3 of one group and 6 of the other.
        expectClose(middle(cut(2), 3, 6, 7), middle(cut(0), 3, 7, 7), { absolute: 1e-4 })
      },
    ),
    law(
      "codes that moved by a place have their image moved by a code's width, away from the sides",
      fc.tuple(seeds, grid([room], fc.nat(2))),
      ([seed, codes]) => {
        const p = paramsOf("decoder", seed)
        const cut = (from: number): ReadonlyArray<number> =>
          // Both rows of pixels side by side for each column.
          values(tf.transpose(decodeCodes(long, p, ids([1, line], codes.slice(from, from + line))).mean, [0, 2, 1, 3]))
        // A pixel sees 3 places and 3 pixels to either side.
        expectClose(middle(cut(1), 2, 12, 14), middle(cut(0), 2, 14, 14), { absolute: 1e-4 })
      },
    ),
    law(
      "decoding codes is decoding them one-hot: the first layer's rows",
      fc.tuple(seeds, grid([6], fc.nat(2))),
      ([seed, codes]) => {
        const p = paramsOf("decoder", seed)
        const given = ids([1, 6], codes)
        const [a, b] = [
          decodeCodes(oblong, p, given),
          decode(oblong, p, tf.cast(tf.oneHot(tf.cast(given, "int32"), 3), "float32")),
        ]
        expectClose(values(a.mean), values(b.mean), { absolute: 1e-5 })
        expectClose(values(a.logWidth), values(b.logWidth), { absolute: 1e-5 })
      },
    ),
    law(
      "each code changes the pixels around it, and its logits depend on its pixels, in raster order",
      fc.tuple(seeds, size(0, 5)),
      ([seed, place]) => {
        // Kernels' middles alone, so that a place and its own pixels are all that knows of each other, and nothing
        // negative, so that no rectifier hides a change.
        const only = (conv: DvaeParams["input"]): DvaeParams["input"] => {
          const side = conv.weight.shape[0]!
          const at = tf.tensor4d(
            Array.from({ length: side * side }, (_, i) => (i === (side * side - 1) / 2 ? 1 : 0)),
            [side, side, 1, 1],
          )
          return { weight: tf.abs(tf.mul(conv.weight, at)), bias: tf.abs(conv.bias) }
        }
        const alone = ({ input, groups, output }: DvaeParams): DvaeParams => ({
          input: only(input),
          output: only(output),
          groups: groups.map((group) =>
            group.map(({ convs, skip }) => ({
              convs: convs.map(only),
              ...(skip === undefined ? {} : { skip: only(skip) }),
            })),
          ),
        })
        const [y, x] = [Math.floor(place / 3), place % 3]
        const codes = Array.from({ length: 6 }, () => 0)
        const stats = [codes, codes.with(place, 1)].map((each) =>
          values(decodeCodes(oblong, alone(paramsOf("decoder", seed)), ids([1, 6], each)).logWidth),
        )
        const moved = stats[0]!.flatMap((value, i) => (value === stats[1]![i] ? [] : [i]))
        // Pixels are 4 × 6.
        const own = [0, 1].flatMap((dy) => [0, 1].map((dx) => (2 * y + dy) * 6 + 2 * x + dx))
        expectThat(moved.join() === own.join(), () => `pixels ${moved.join()} and not ${own.join()}`)
        const image = Array.from({ length: 24 }, () => 0.5)
        const logits = [image, image.map((v, i) => (own.includes(i) ? 0.9 : v))].map((each) =>
          values(encode(oblong, alone(paramsOf("encoder", seed)), float([1, 4, 6, 1], each))),
        )
        const changed = new Set(logits[0]!.flatMap((value, i) => (value === logits[1]![i] ? [] : [Math.floor(i / 3)])))
        expectThat([...changed].join() === `${place}`, () => `places ${[...changed].join()} and not ${place}`)
      },
    ),
    law("an image in a batch is encoded as alone", fc.tuple(seeds, grid([2, 4, 6], pixel)), ([seed, pixels]) => {
      const p = paramsOf("encoder", seed)
      const alone = [0, 1].flatMap((i) =>
        values(encode(oblong, p, float([1, 4, 6, 1], pixels.slice(24 * i, 24 * (i + 1))))),
      )
      expectClose(values(encode(oblong, p, float([2, 4, 6, 1], pixels))), alone, { absolute: 1e-5 })
    }),
  ]
}
