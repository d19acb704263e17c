import { type encodeText, type TextEncoderConfig, type TextEncoderParams, textEncoderParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { float, grid, ids, mask, size } from "./examples.js"
import { type Law, law } from "./law.js"

const vocab = 5

/** An encoder, and two captions of it. */
const examples = fc
  .record({ context: size(2, 5), heads: size(1, 2), layers: size(1, 2) })
  .map(({ context, heads, layers }): TextEncoderConfig => ({ vocab, context, width: 4, layers, heads }))
  .chain((config) =>
    fc.record({
      config: fc.constant(config),
      seed: size(0, 99),
      tokens: grid([2, config.context], size(0, vocab - 1)),
      mask: mask([2, config.context]),
      junk: size(5, 1000),
    }),
  )
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

/** What every text encoder with paddings of its own obeys. @source Nichol et al. 2021, section 4.1 */
export const textEncoderLaws = (encode: typeof encodeText): ReadonlyArray<Law> => {
  const some = ({ config, seed }: Example): TextEncoderParams => {
    const specs = textEncoderParams(config)
    return tensorsOf(specs, testParams(specs, seed)) as TextEncoderParams
  }
  const tokensOf = ({ config, tokens }: Example) => ids([2, config.context], tokens)
  const maskOf = (e: Example) => float([2, e.config.context], e.mask)
  const all = ({ config }: Example) => tf.ones([2, config.context])
  const at = (e: Example, tokens = tokensOf(e), mask = maskOf(e), p = some(e)) => encode(e.config, p, tokens, mask)
  const place = (x: tf.Tensor, t: number) => tf.slice(x, [0, t, 0], [2, 1, 4])

  return [
    law("the first token depends on the last, and the last on the first", examples, (e) => {
      const last = e.config.context - 1
      for (const [moved, seen] of [
        [last, 0],
        [0, last],
      ] as const) {
        const other = e.tokens.map((token, i) => (i % e.config.context === moved ? (token + 1) % vocab : token))
        const before = values(place(at(e, tokensOf(e), all(e)), seen))
        const after = values(place(at(e, ids([2, e.config.context], other), all(e)), seen))
        expectThat(
          after.some((v, i) => v !== before[i]),
          () => `position ${seen} does not see position ${moved}`,
        )
      }
    }),
    law("without positions, tokens in another order are the same in that order", examples, (e) => {
      const p = some(e)
      const without = { ...p, position: tf.zerosLike(p.position) }
      expectClose(
        at(e, tf.reverse(tokensOf(e), 1), all(e), without),
        tf.reverse(at(e, tokensOf(e), all(e), without), 1),
      )
    }),
    law("with positions, the order of tokens matters", examples, (e) => {
      const turned = values(at(e, tf.reverse(tokensOf(e), 1), all(e)))
      const back = values(tf.reverse(at(e, tokensOf(e), all(e)), 1))
      expectThat(
        turned.some((v, i) => Math.abs(v - back[i]!) > 1e-6),
        () => "the order changed nothing",
      )
    }),
    law("an id under padding changes nothing", examples, (e) => {
      const strange = e.tokens.map((token, i) => (e.mask[i] === 1 ? token : e.junk))
      expectSame(at(e, ids([2, e.config.context], strange)), at(e))
    }),
    law("each place has a padding of its own, without its position", examples, (e) => {
      // A token whose embedding and position are that padding is the same as the padding.
      const p = some(e)
      const as = {
        ...p,
        token: tf.concat([tf.zeros([1, 4]), tf.slice(p.token, [1, 0], [vocab - 1, 4])]),
        position: p.padding,
      }
      const nothing = tf.zeros([2, e.config.context], "int32")
      expectClose(at(e, nothing, all(e), as), at(e, nothing, tf.zerosLike(all(e)), p))
    }),
    law("a caption depends on no other caption", examples, (e) => {
      const one = encode(
        e.config,
        some(e),
        tf.slice(tokensOf(e), [0, 0], [1, e.config.context]),
        tf.slice(maskOf(e), [0, 0], [1, e.config.context]),
      )
      expectClose(values(at(e)).slice(0, one.size), one)
    }),
  ]
}
