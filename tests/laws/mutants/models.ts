import {
  flatten,
  initParams,
  isParamSpec,
  keyFromSeed,
  mapTree,
  normal,
  type ParamSpec,
  type Tree,
  tensor,
} from "@millrace/core"
import { batchEquivariant, lawsOf, type TensorSubject, tokens } from "@millrace/core/laws"
import {
  type GptParams,
  gptLogits,
  gptParams,
  rewardParams,
  rewardScore,
  type ScalarParams,
  type SparseParams,
  sparseLogits,
  sparseParams,
} from "@millrace/models"
import { maskedModelLaws, scoreModelLaws, textAndImageLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const config = { vocab: 5, context: 6, width: 8, layers: 1, heads: 2 }

/** Every parameter drawn, so that none hides what it multiplies. */
const drawn = (specs: Tree<ParamSpec>) =>
  initParams(
    Object.fromEntries(
      Object.entries(flatten(specs, isParamSpec)).map(([name, spec]) => [name, { ...spec, init: normal(0.5) }]),
    ),
    keyFromSeed(3),
  )

type Forward<P> = (p: P, tokens: tf.Tensor, mask: tf.Tensor) => tf.Tensor

const subjectOf = <P>(specs: Tree<ParamSpec>, out: TensorSubject["out"], forward: Forward<P>): TensorSubject => ({
  name: "a model",
  in: { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") },
  out,
  sizes: { v: config.vocab },
  params: drawn(specs),
  apply: ({ tokens, mask }, params) =>
    forward(mapTree(specs, isParamSpec, (path) => params[path]!) as P, tokens!, mask!),
})

const gptWith =
  (inputs: (mask: tf.Tensor, t: number) => Parameters<typeof gptLogits>[3]): Forward<GptParams> =>
  (p, tokens, mask) =>
    gptLogits(config, p, tokens, inputs(mask, tokens.shape[1]!))
const places = (mask: tf.Tensor): tf.Tensor =>
  tf.tile(tf.reshape(tf.range(0, mask.shape[1]!, 1, "int32"), [1, -1]), [mask.shape[0]!, 1])

export const gptMutants = mutantSet<Forward<GptParams>>({
  subject: "language model under a mask",
  laws: (forward) =>
    lawsOf(subjectOf(gptParams(config), tensor("float32", "b t v", "logit"), forward), [
      ...maskedModelLaws,
      batchEquivariant("b"),
    ]),
  real: gptWith((mask) => ({ mask })),
  mutants: {
    "that sees what comes later": (p, tokens, mask) =>
      tf.reverse(gptLogits(config, p, tf.reverse(tokens, 1), { mask: tf.reverse(mask, 1) }), 1),
    "that ignores its mask": gptWith(() => ({})),
    "that counts padding as places": gptWith((mask) => ({ mask, positions: places(mask) })),
    "that adds what the batch has in common": (p, tokens, mask) => {
      const logits = gptLogits(config, p, tokens, { mask })
      return tf.add(logits, tf.mul(0.1, tf.mean(tf.cast(mask, "float32"))))
    },
    "that subtracts the mean over places": (p, tokens, mask) => {
      const logits = gptLogits(config, p, tokens, { mask })
      return tf.sub(logits, tf.mean(logits, 1, true))
    },
  },
})

export const rewardMutants = mutantSet<Forward<ScalarParams>>({
  subject: "reward model",
  laws: (forward) =>
    lawsOf(subjectOf(rewardParams(config), tensor("float32", "b", "reward"), forward), [
      ...scoreModelLaws,
      batchEquivariant("b"),
    ]),
  real: (p, tokens, mask) => rewardScore(config, p, tokens, mask),
  mutants: {
    "that reads the last place": (p, tokens) => rewardScore(config, p, tokens),
    "that reads the last place, the mask in attention alone": (p, tokens, mask) => {
      const kept = tf.cast(mask, "int32")
      return rewardScore(config, p, tf.mul(tokens, kept), undefined)
    },
    "that takes the mean score off": (p, tokens, mask) => {
      const score = rewardScore(config, p, tokens, mask)
      return tf.sub(score, tf.mean(score))
    },
    "that rewards length in places": (p, tokens, mask) =>
      tf.add(rewardScore(config, p, tokens, mask), tokens.shape[1]!),
  },
})

const picture = { textVocab: 3, text: 3, imageVocab: 4, rows: 2, columns: 2, width: 8, heads: 2, layers: 2 }
const sparseSpecs = sparseParams(picture)

interface Stream {
  readonly tokens: tf.Tensor
  readonly mask: tf.Tensor
  readonly codes: tf.Tensor
}
type TextAndImage = (p: SparseParams, inputs: Stream) => { readonly text: tf.Tensor; readonly image: tf.Tensor }

const ours: TextAndImage = (p, inputs) => sparseLogits(picture, p, inputs)

export const textAndImageMutants = mutantSet<TextAndImage>({
  subject: "transformer over text and image",
  laws: (model) =>
    lawsOf(
      {
        name: "text and image",
        in: {
          tokens: tensor("int32", "b t", "token"),
          mask: tensor("float32", "b t", "mask"),
          codes: tensor("int32", "b s", "code"),
        },
        out: { text: tensor("float32", "b t v", "logit"), image: tensor("float32", "b s k", "logit") },
        sizes: { t: 3, s: 4, k: 4, v: 6 },
        examples: { tokens: (shape) => tokens(shape, 3) },
        params: drawn(sparseSpecs),
        apply: (given, params) => {
          const p = mapTree(sparseSpecs, isParamSpec, (path) => params[path]!) as SparseParams
          return { ...model(p, { tokens: given.tokens!, mask: given.mask!, codes: given.codes! }) }
        },
      },
      textAndImageLaws,
    ),
  real: ours,
  runs: 10,
  mutants: {
    "that sees the whole image": (p, inputs) => {
      const { text, image } = ours(p, inputs)
      return {
        text,
        image: tf.add(image, tf.mul(0.1, tf.mean(tf.cast(inputs.codes, "float32"), 1).reshape([-1, 1, 1]))),
      }
    },
    "that sees the code that it predicts": (p, inputs) => {
      const { text, image } = ours(p, inputs)
      return { text, image: tf.add(image, tf.mul(0.1, tf.expandDims(tf.cast(inputs.codes, "float32"), 2))) }
    },
    "that writes its text after the image": (p, inputs) => {
      const { text, image } = ours(p, inputs)
      return { text: tf.add(text, tf.mean(image)), image }
    },
    "that reads ids at padding": (p, inputs) => {
      const { text, image } = ours(p, inputs)
      return { text, image: tf.add(image, tf.mul(1e-3, tf.mean(tf.cast(inputs.tokens, "float32")))) }
    },
  },
})
