import {
  type Attend,
  attention,
  type SparseConfig,
  type SparseInputs,
  sparseLogits,
  sparseMask,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { sparseModelLaws, type TextToCodes } from "../sparseModelLaws.js"
import { mutantSet } from "./mutantSet.js"

/** Attention of all pairs that a pattern's mask or its change allows. */
const masked =
  (change: (seen: boolean, t: number, s: number, text: number) => boolean): Attend =>
  ({ pattern, grid }, q, k, v) => {
    const bias = sparseMask(pattern, grid).map((row, t) =>
      row.map((seen, s) => (change(seen, t, s, grid.text) ? 0 : -1e9)),
    )
    return attention(q, k, v, tf.tensor2d(bias))
  }

const attending =
  (change: (seen: boolean, t: number, s: number, text: number) => boolean): TextToCodes =>
  (config, p, inputs) =>
    sparseLogits(config, p, inputs, masked(change))

const given =
  (change: (config: SparseConfig, inputs: SparseInputs) => SparseInputs): TextToCodes =>
  (config, p, inputs) =>
    sparseLogits(config, p, change(config, inputs))

export const sparseModelMutants = mutantSet<TextToCodes>({
  subject: "sparse transformer",
  laws: sparseModelLaws,
  real: sparseLogits,
  runs: 3,
  mutants: {
    "that sees the token that it predicts": attending((seen, t, s) => seen || s === t + 1),
    "whose codes do not see the text": attending((seen, t, s, text) => seen && !(t >= text && s < text)),
    "whose codes see themselves and the text alone": attending(
      (seen, t, s, text) => seen && !(t >= text && s >= text && s !== t),
    ),
    "whose text sees the image": attending((seen, t, s, text) => seen || (t < text && s >= text)),
    "that looks up what stands at padding": given((_, inputs) => ({
      ...inputs,
      tokens: tf.clipByValue(inputs.tokens, 0, 3).cast("int32"),
      mask: tf.onesLike(inputs.mask),
    })),
    "whose paddings are one word": given((_, inputs) => ({
      ...inputs,
      tokens: tf.where(tf.cast(inputs.mask, "bool"), inputs.tokens, tf.zerosLike(inputs.tokens)),
      mask: tf.onesLike(inputs.mask),
    })),
    "whose places of an image are one": (config, p, inputs) => {
      const image = { ...p.image, row: tf.zerosLike(p.image.row), column: tf.zerosLike(p.image.column) }
      return sparseLogits(config, { ...p, image }, inputs, (_, q, k, v) => attention(q, k, v, null))
    },
    "that centres its logits over the batch": (config, p, inputs) => {
      const { text, image } = sparseLogits(config, p, inputs)
      return { text: tf.sub(text, tf.mean(text, 0, true)), image }
    },
  },
})
