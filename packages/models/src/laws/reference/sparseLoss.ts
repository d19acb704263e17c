/** ⅛ of the text's and ⅞ of the image's mean cross-entropy, in plain float64 loops. */
import { logSoftmax, rows } from "@millrace/core/laws"

export interface SparseLossBatch {
  readonly sizes: {
    readonly b: number
    readonly t: number
    readonly s: number
    /** Classes of text, of which the last t are paddings. */
    readonly v: number
    readonly k: number
  }
  readonly tokens: ReadonlyArray<number>
  readonly mask: ReadonlyArray<number>
  readonly codes: ReadonlyArray<number>
}

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length)

export const sparseLossReference = (
  { sizes: { t, v, k }, tokens, mask, codes }: SparseLossBatch,
  pads: "counted" | "ignored",
  text: ReadonlyArray<number>,
  image: ReadonlyArray<number>,
): number => {
  const ofText = rows(text, v).flatMap((logits, i) => {
    const place = i % t
    if (place === t - 1 || (pads === "ignored" && mask[i + 1] === 0)) return []
    const label = mask[i + 1] === 1 ? tokens[i + 1]! : v - t + place + 1
    return [-logSoftmax(logits)[label]!]
  })
  const ofImage = rows(image, k).map((logits, i) => -logSoftmax(logits)[codes[i]!]!)
  return mean(ofText) / 8 + (7 / 8) * mean(ofImage)
}
