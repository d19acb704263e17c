/** Laws of models, about their ports: inputs `tokens` [b t], `mask` [b t] and, for images, `codes` [b s]. */
import {
  causal,
  examplesOf,
  expectSame,
  law,
  maskedNeverLeaks,
  paddingInvariant,
  resultsOf,
  type SubjectLaw,
} from "@millrace/core/laws"
import fc from "fast-check"

/** Padding on either side changes nothing. */
const padded: ReadonlyArray<SubjectLaw> = [
  paddingInvariant("mask", "t", { side: "left" }),
  paddingInvariant("mask", "t", { side: "right" }),
]

/** A language model: no later token changes an earlier output. */
export const causalModelLaws: ReadonlyArray<SubjectLaw> = [causal("t")]

/** The same under a mask: what it hides is not seen at any place that counts. */
export const maskedModelLaws: ReadonlyArray<SubjectLaw> = [
  causal("t"),
  maskedNeverLeaks("mask", ["tokens"], { results: "kept" }),
  ...padded,
]

/** One number a text: what the mask hides is not seen at all. */
export const scoreModelLaws: ReadonlyArray<SubjectLaw> = [maskedNeverLeaks("mask", ["tokens"]), ...padded]

/** The image's codes change no logit of the text. */
const textFirst: SubjectLaw = (subject) =>
  law("the image changes no logit of the text", fc.tuple(examplesOf(subject), fc.nat(9)), ([example, turn]) => {
    const { codes = [] } = example.inputs
    const turned = { ...example.inputs, codes: [...codes.slice(turn), ...codes.slice(0, turn)].reverse() }
    expectSame(resultsOf(subject, { ...example, inputs: turned }).text!, resultsOf(subject, example).text!)
  })

/** Logits of a code do not see the code: it is what they predict. */
const ownCodeUnseen: SubjectLaw = (subject) =>
  law("a code changes no logit of its own place", fc.tuple(examplesOf(subject), fc.nat(99)), ([example, n]) => {
    const { codes = [] } = example.inputs
    const [places, classes] = [subject.sizes?.s ?? example.sizes.s ?? 1, subject.sizes?.k ?? example.sizes.k ?? 1]
    const at = n % places
    const changed = codes.map((code, i) => (i % places === at ? (code + 1) % classes : code))
    const logits = (inputs: typeof example.inputs): ReadonlyArray<number> =>
      resultsOf(subject, { ...example, inputs }).image!.filter((_, i) => Math.floor(i / classes) % places === at)
    expectSame(logits({ ...example.inputs, codes: changed }), logits(example.inputs))
  })

/** Text and image in one stream, as outputs `text` [b t v] and `image` [b s k]: the text comes first. */
export const textAndImageLaws: ReadonlyArray<SubjectLaw> = [
  causal("s"),
  ownCodeUnseen,
  textFirst,
  maskedNeverLeaks("mask", ["tokens"]),
]
