import { gae } from "@millrace/models"
import { type Gae, gaeLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const ours: Gae = (r, v, config) => gae(r, v, undefined, config)
type Config = Parameters<Gae>[2]
const variant =
  (change: (r: tf.Tensor, v: tf.Tensor, config: Config) => [tf.Tensor, tf.Tensor, Config]): Gae =>
  (r, v, config) =>
    ours(...change(r, v, config))

export const gaeMutants = mutantSet<Gae>({
  subject: "generalised advantage estimation",
  laws: gaeLaws,
  real: ours,
  mutants: {
    "that forgets λ": variant((r, v, c) => [r, v, { ...c, lambda: 1 }]),
    "that discounts by λ alone": variant((r, v, c) => [r, v, { discount: 1, lambda: c.lambda }]),
    "that runs from the start": (r, v, c) => {
      const { advantages, returns } = ours(tf.reverse(r, 1), tf.reverse(v, 1), c)
      return { advantages: tf.reverse(advantages, 1), returns: tf.reverse(returns, 1) }
    },
    "that keeps the last value after the end": (r, v, c) => {
      const [b, t] = r.shape as [number, number]
      const last = tf.pad(tf.slice(v, [0, t - 1], [b, 1]), [
        [0, 0],
        [t - 1, 0],
      ])
      return ours(tf.add(r, tf.mul(c.discount, last)), v, c)
    },
    "that gives the advantages as returns": (r, v, c) => {
      const { advantages } = ours(r, v, c)
      return { advantages, returns: advantages }
    },
    "that clips the rewards": variant((r, v, c) => [tf.clipByValue(r, -1, 1), v, c]),
    "that ignores the values": variant((r, v, c) => [r, tf.zerosLike(v), c]),
    "that subtracts the mean": (r, v, c) => {
      const { advantages, returns } = ours(r, v, c)
      return { advantages: tf.sub(advantages, tf.mean(advantages)), returns }
    },
  },
})
