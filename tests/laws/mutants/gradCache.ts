import { gradCache } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type ByParts, gradCacheLaws } from "../gradCacheLaws.js"
import { mutantSet } from "./mutantSet.js"

/** Each part alone, as where examples do not meet. */
const accumulated =
  (weigh: (value: tf.Tensor, parts: number) => tf.Tensor): ByParts =>
  (params, parts, encode, loss) => {
    const each = parts.map((part) =>
      tf.valueAndGrads((...p: ReadonlyArray<tf.Tensor>) => loss(encode(p, part)))([...params]),
    )
    const total = (terms: ReadonlyArray<tf.Tensor>): tf.Tensor =>
      weigh(
        terms.reduce((a, b) => tf.add(a, b)),
        parts.length,
      )
    return {
      value: total(each.map(({ value }) => value)) as tf.Scalar,
      grads: params.map((_, i) => total(each.map(({ grads }) => grads[i]!))),
    }
  }

export const gradCacheMutants = mutantSet<ByParts>({
  subject: "gradients by parts",
  laws: gradCacheLaws,
  real: gradCache,
  runs: 10,
  mutants: {
    "in which parts do not meet": accumulated((sum, n) => tf.div(sum, n)),
    "that divides by the number of parts": (params, parts, encode, loss) => {
      const { value, grads } = gradCache(params, parts, encode, loss)
      return { value, grads: grads.map((g) => tf.div(g, parts.length)) }
    },
    "that drops the last part": (params, parts, encode, loss) => {
      const { value } = gradCache(params, parts, encode, loss)
      return { value, grads: gradCache(params, parts.slice(0, -1), encode, loss).grads }
    },
  },
})
