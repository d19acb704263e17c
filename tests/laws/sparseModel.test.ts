import {
  type Attend,
  attention,
  type SparseConfig,
  type SparseInputs,
  sparseLogits,
  sparseMask,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { verify } from "./law.js"
import { refuses } from "./refuses.js"
import { sparseModelLaws, type TextToCodes } from "./sparseModelLaws.js"

verify("sparseLogits", sparseModelLaws(sparseLogits))

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

refuses("a model of text and codes", sparseModelLaws, [
  [
    "because it sees the token that it predicts",
    attending((seen, t, s) => seen || s === t + 1),
    "a later token never changes an earlier logit, bit for bit",
  ],
  [
    "because its codes do not see the text",
    attending((seen, t, s, text) => seen && !(t >= text && s < text)),
    "each word changes the logits of all codes",
  ],
  [
    "because its codes see themselves and the text alone",
    attending((seen, t, s, text) => seen && !(t >= text && s >= text && s !== t)),
    "each code changes the logits of the last",
  ],
  [
    "because its text sees the image",
    attending((seen, t, s, text) => seen || (t < text && s >= text)),
    "no code changes a logit of the text",
  ],
  [
    "because it looks up what stands at padding",
    given((_, inputs) => ({
      ...inputs,
      tokens: tf.clipByValue(inputs.tokens, 0, 3).cast("int32"),
      mask: tf.onesLike(inputs.mask),
    })),
    "what stands at padding changes no bit",
  ],
  [
    "because its paddings are one word",
    given((_, inputs) => ({
      ...inputs,
      tokens: tf.where(tf.cast(inputs.mask, "bool"), inputs.tokens, tf.zerosLike(inputs.tokens)),
      mask: tf.onesLike(inputs.mask),
    })),
    "the padding of a position is used if and only if the caption ends before it",
  ],
  [
    "because its places of an image are one",
    (config, p, inputs) => {
      const image = { ...p.image, row: tf.zerosLike(p.image.row), column: tf.zerosLike(p.image.column) }
      return sparseLogits(config, { ...p, image }, inputs, (_, q, k, v) => attention(q, k, v, null))
    },
    "equal codes at two places are told apart by row and by column",
  ],
  [
    "because it centres its logits over the batch",
    (config, p, inputs) => {
      const { text, image } = sparseLogits(config, p, inputs)
      return { text: tf.sub(text, tf.mean(text, 0, true)), image }
    },
    "a batch gives each pair what it gets alone, bit for bit",
  ],
])
