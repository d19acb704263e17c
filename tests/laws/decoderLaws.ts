import { type DecoderConfig, type DecoderParams, decoderParams } from "@millrace/models"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { float, grid, ids, mask, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** What a decoder with a text encoder is given. */
export interface DecoderInputs {
  readonly image: tf.Tensor
  readonly time: tf.Tensor
  readonly tokens: tf.Tensor
  readonly mask: tf.Tensor
  readonly keepCaption: tf.Tensor
  readonly embedding: tf.Tensor
  readonly keepEmbedding: tf.Tensor
}

/** A decoder under test: b y x (2 c), noise and variance. */
export type Decoder = (config: DecoderConfig, params: DecoderParams, inputs: DecoderInputs) => tf.Tensor

const [vocab, length, width] = [5, 3, 4]

const configs: fc.Arbitrary<DecoderConfig> = fc
  .record({
    heads: fc.constantFrom(1, 2),
    layers: size(1, 2),
    tokens: size(1, 4),
    dropped: fc.constantFrom("learned" as const, "zero" as const),
    attention: fc.constantFrom([2], [1], []),
  })
  .map(({ heads, layers, tokens, dropped, attention }) => ({
    unet: {
      size: 2,
      width: 2,
      multipliers: [1, 2],
      blocks: 1,
      attention,
      headWidth: 2,
      groups: 1,
      context: width,
      input: 1,
      output: 2,
    },
    text: { kind: "encoder", encoder: { vocab, context: length, width, layers, heads } },
    image: { width: 3, tokens, dropped },
  }))

const tokens = grid([2, length], size(0, vocab - 1))

/** A decoder, two images with their captions and embeddings, and others of each. */
const examples = configs.chain((config) =>
  fc.record({
    config: fc.constant(config),
    seed: size(0, 99),
    image: grid([2, 2, 4, 1]),
    tokens,
    otherTokens: tokens,
    mask: mask([2, length]),
    otherMask: mask([2, length]),
    embedding: grid([2, 3]),
    otherEmbedding: grid([2, 3]),
  }),
)
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

/** What every decoder of a caption and an image embedding obeys. @source Ramesh et al. 2022, section 2.1 */
export const decoderLaws = (decoder: Decoder): ReadonlyArray<Law> => {
  const at = ({ config, seed, ...example }: Example, changes: Partial<DecoderInputs> = {}): tf.Tensor => {
    const specs = decoderParams(config)
    return decoder(config, tensorsOf(specs, testParams(specs, seed)) as DecoderParams, {
      image: float([2, 2, 4, 1], example.image),
      time: ids([2], [3, 800]),
      tokens: ids([2, length], example.tokens),
      mask: float([2, length], example.mask),
      keepCaption: float([2], [1, 1]),
      embedding: float([2, 3], example.embedding),
      keepEmbedding: float([2], [1, 1]),
      ...changes,
    })
  }
  const otherCaption = (e: Example) => ({
    tokens: ids([2, length], e.otherTokens),
    mask: float([2, length], e.otherMask),
  })
  const none = float([2], [0, 0])
  const first = (x: tf.Tensor) => values(x).slice(0, x.size / 2)
  const second = (x: tf.Tensor) => values(x).slice(x.size / 2)

  return [
    law("nothing depends on a caption that is dropped", examples, (e) => {
      expectSame(at(e, { ...otherCaption(e), keepCaption: none }), at(e, { keepCaption: none }))
    }),
    law("a caption that is dropped is the empty one", examples, (e) => {
      const empty = float([2, length], new Array(2 * length).fill(0))
      expectSame(at(e, { keepCaption: none }), at(e, { mask: empty }))
    }),
    law("nothing depends on an image embedding that is dropped, and not even NaN leaks", examples, (e) => {
      const junk = float([2, 3], [Number.NaN, Number.POSITIVE_INFINITY, ...e.otherEmbedding.slice(2)])
      expectSame(at(e, { embedding: junk, keepEmbedding: none }), at(e, { keepEmbedding: none }))
    }),
    law("an id under padding, even of no token, changes nothing", examples, (e) => {
      const strange = e.tokens.map((token, i) => (e.mask[i] === 1 ? token : 9999))
      expectSame(at(e, { tokens: ids([2, length], strange) }), at(e))
    }),
    law("each image is dropped by itself", examples, (e) => {
      const some = at(e, { keepCaption: float([2], [1, 0]), keepEmbedding: float([2], [0, 1]) })
      const captionGone = at(e, { keepCaption: none })
      const embeddingGone = at(e, { keepEmbedding: none })
      expectClose([...first(some), ...second(some)], [...first(embeddingGone), ...second(captionGone)])
    }),
    law("a caption that is kept acts", examples, (e) => {
      const empty = at(e, { keepCaption: none })
      const [kept, gone] = [values(at(e)), values(empty)]
      expectThat(
        kept.some((v, i) => v !== gone[i]),
        () => "the caption changed nothing",
      )
    }),
    law("an image embedding that is kept acts", examples, (e) => {
      const [kept, gone] = [
        values(at(e)),
        values(
          at(e, {
            embedding: float(
              [2, 3],
              e.embedding.map((v) => v + 1),
            ),
          }),
        ),
      ]
      expectThat(
        kept.some((v, i) => v !== gone[i]),
        () => "the embedding changed nothing",
      )
    }),
  ]
}
