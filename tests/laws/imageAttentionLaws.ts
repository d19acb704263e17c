import type { imageAttention, imageAttentionParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectThat, values } from "./close.js"
import { float, grid, size } from "./examples.js"
import { type Law, law } from "./law.js"
import { initial } from "./residualLaws.js"

/** Attention over an image under test: its parameters and what it computes. */
export interface AttentionUnit {
  readonly params: typeof imageAttentionParams
  readonly apply: typeof imageAttention
}

type Params = Parameters<AttentionUnit["apply"]>[0]

const [contextWidth, length] = [3, 2]

const examples = fc
  .record({ heads: size(1, 2), headWidth: size(1, 3), y: size(1, 3), x: size(2, 3), seed: size(0, 99) })
  .chain((sizes) =>
    fc.record({
      sizes: fc.constant(sizes),
      image: grid([2, sizes.y, sizes.x, sizes.heads * sizes.headWidth]),
      context: grid([2, length, contextWidth]),
      order: fc.shuffledSubarray(
        Array.from({ length: sizes.y * sizes.x }, (_, i) => i),
        { minLength: sizes.y * sizes.x },
      ),
    }),
  )
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

const channels = ({ sizes: { heads, headWidth } }: Example): number => heads * headWidth
const imageOf = (e: Example): tf.Tensor => float([2, e.sizes.y, e.sizes.x, channels(e)], e.image)
const contextOf = (e: Example): tf.Tensor => float([2, length, contextWidth], e.context)
const optionsOf = ({ sizes: { headWidth } }: Example) => ({ headWidth, groups: 1 })

/** What all attention over the places of an image and the tokens of a context obeys. @source Nichol et al. 2021, section 4.1 */
export const imageAttentionLaws = ({ params, apply }: AttentionUnit): ReadonlyArray<Law> => {
  const some = (e: Example): Params => {
    const specs = params(channels(e), contextWidth)
    return tensorsOf(specs, testParams(specs, e.sizes.seed)) as Params
  }
  const at = (e: Example, x = imageOf(e), tokens = contextOf(e), p = some(e)) => apply(p, x, { tokens }, optionsOf(e))
  /** The same places in another order. */
  const moved = (e: Example, x: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.gather(tf.reshape(x, [2, e.order.length, channels(e)]), tf.tensor1d(e.order, "int32"), 1), x.shape)

  return [
    law("before training it is the image itself", examples, (e) => {
      const p = initial(params(channels(e), contextWidth), e.sizes.seed) as Params
      expectClose(at(e, imageOf(e), contextOf(e), p), imageOf(e))
    }),
    law("the places of an image in another order are the same in that order", examples, (e) => {
      expectClose(at(e, moved(e, imageOf(e))), moved(e, at(e)))
    }),
    law("a context of which nothing is seen is none", examples, (e) => {
      const seen = tf.zeros([2, length], "bool")
      expectClose(
        apply(some(e), imageOf(e), { tokens: contextOf(e), seen }, optionsOf(e)),
        apply(some(e), imageOf(e), null, optionsOf(e)),
      )
    }),
    law("where all values are one, it adds that one: the shares of what is seen sum to 1", examples, (e) => {
      const c = channels(e)
      const p = some(e)
      const value = tf.linspace(-1, 1, c)
      // Without weights, values are their bias; queries and keys stay as they are.
      const without = (weight: tf.Tensor, parts: number) => {
        const rows = weight.shape[0]!
        return tf.concat([tf.slice(weight, [0, 0], [rows, (parts - 1) * c]), tf.zeros([rows, c])], 1)
      }
      const instead = (bias: tf.Tensor, parts: number) => tf.concat([tf.slice(bias, [0], [(parts - 1) * c]), value])
      const same: Params = {
        ...p,
        qkv: { weight: without(p.qkv.weight, 3), bias: instead(p.qkv.bias, 3) },
        context: { weight: without(p.context!.weight, 2), bias: instead(p.context!.bias, 2) },
      }
      const added = tf.add(tf.matMul(tf.reshape(value, [1, c]), p.out.weight as tf.Tensor2D), p.out.bias)
      expectClose(at(e, imageOf(e), contextOf(e), same), tf.add(imageOf(e), tf.reshape(added, [1, 1, 1, c])))
    }),
    law("another context gives another image", examples, (e) => {
      const other = values(at(e, imageOf(e), tf.add(contextOf(e), 1)))
      const before = values(at(e))
      expectThat(
        other.some((v, i) => v !== before[i]),
        () => "the context changed nothing",
      )
    }),
  ]
}
