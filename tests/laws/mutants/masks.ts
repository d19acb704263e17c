import { type MaskedLoss, maskLaws, weighed } from "@millrace/core/laws"
import { maskedMean } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const kept = (x: tf.Tensor, mask: tf.Tensor): tf.Tensor => tf.where(mask, x, tf.zerosLike(x))

export const maskMutants = mutantSet<MaskedLoss>({
  subject: "masked loss",
  laws: (loss) => maskLaws([[]], loss),
  real: ([x], mask) => maskedMean(tf.square(kept(x!, mask)), mask, "token-mean"),
  mutants: {
    "that takes a mean over everything": ([x]) => weighed(tf.sub(x!, tf.mean(x!))),
    "that multiplies by its mask": ([x], mask) => tf.sum(tf.mul(tf.square(x!), tf.cast(mask, "float32"))),
    "that selects after the arithmetic": ([x], mask) => tf.sum(tf.where(mask, tf.exp(x!), tf.zerosLike(x!))),
    "that divides by the length": ([x], mask) => tf.mean(tf.square(kept(x!, mask))),
    "that divides by nothing where all is masked": ([x], mask) =>
      tf.div(tf.sum(tf.square(kept(x!, mask))), tf.sum(tf.cast(mask, "float32"))),
    "that lets a gradient through": ([x], mask) =>
      tf.add(
        tf.sum(kept(x!, mask)),
        tf.sub(
          tf.sum(x!),
          tf.sum(
            tf.customGrad((v) => ({ value: (v as tf.Tensor).clone(), gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) }))(
              x!,
            ),
          ),
        ),
      ),
  },
})
