import { policyLoss, ptxLoss, valueLoss } from "@millrace/models"
import {
  type DualClipOf,
  dualClipLaws,
  type PolicyLossOf,
  type PtxLossOf,
  policyLossLaws,
  ptxLaws,
  type ValueLossOf,
  valueLossLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const tokenMean = { normaliser: "token-mean" } as const

const policy: PolicyLossOf = (clip) => (p, old, a) => policyLoss(p, old, a, undefined, { clip, ...tokenMean }).loss
const ratio = (p: tf.Tensor, old: tf.Tensor): tf.Tensor => tf.exp(tf.sub(p, old))
const surrogate =
  (worse: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, sign = -1): PolicyLossOf =>
  (epsilon) =>
  (p, old, a) => {
    const r = ratio(p, old)
    return tf.mean(
      worse(tf.mul(tf.mul(sign, a), r), tf.mul(tf.mul(sign, a), tf.clipByValue(r, 1 - epsilon, 1 + epsilon))),
    )
  }

export const policyLossMutants = mutantSet<PolicyLossOf>({
  subject: "PPO's policy loss",
  laws: (lossOf) => policyLossLaws(lossOf),
  real: policy,
  mutants: {
    "that takes the better of both": surrogate(tf.minimum),
    "that has the wrong sign": surrogate(tf.maximum, 1),
    "that always clips": surrogate((_, clipped) => clipped),
    "that never clips": surrogate((plain) => plain),
    "that sums": (e) => (p, old, a) => tf.mul(p.size, policy(e)(p, old, a)),
    "that has the ratio upside down": (e) => (p, old, a) => policy(e)(old, p, a),
    "that forgets the old policy": (e) => (p, old, a) => policy(e)(p, tf.zerosLike(old), a),
    "that squares the advantages": (e) => (p, old, a) => policy(e)(p, old, tf.mul(a, tf.abs(a))),
    "that adds an entropy bonus": (e) => (p, old, a) => tf.add(policy(e)(p, old, a), tf.mul(0.01, tf.mean(p))),
    "that clips log-ratios at 0.1 whatever ε": () => (p, old, a) => policy(0.1)(p, old, a),
  },
})

const dual: DualClipOf = (dualClip) => (p, old, a) =>
  policyLoss(p, old, a, undefined, { clip: 0.2, ...(dualClip === undefined ? {} : { dualClip }), ...tokenMean }).loss

export const dualClipMutants = mutantSet<DualClipOf>({
  subject: "the dual clip",
  laws: dualClipLaws,
  real: dual,
  mutants: {
    "that does nothing": () => dual(undefined),
    "that bounds positive advantages too": (c) => (p, old, a) =>
      tf.maximum(dual(c)(p, old, a), c === undefined ? -1e9 : -0.5),
    "that bounds at c alone, not at c A": (c) => (p, old, a) => tf.minimum(dual(c)(p, old, a), c ?? 1e9),
    "that bounds at half of c": (c) => dual(c === undefined ? undefined : Math.max(1, c / 2)),
  },
})

const value: ValueLossOf = (clip) => (v, old, g) => valueLoss(v, old, g, undefined, { clip, ...tokenMean }).loss

export const valueLossMutants = mutantSet<ValueLossOf>({
  subject: "PPO's value loss",
  laws: (lossOf) => valueLossLaws(lossOf),
  real: value,
  mutants: {
    "that takes the smaller error": (e) => (v, old, g) => {
      const near = tf.add(old, tf.clipByValue(tf.sub(v, old), -e, e))
      return tf.mul(0.5, tf.mean(tf.minimum(tf.square(tf.sub(v, g)), tf.square(tf.sub(near, g)))))
    },
    "that forgets the half": (e) => (v, old, g) => tf.mul(2, value(e)(v, old, g)),
    "that never clips": () => (v, _old, g) => tf.mul(0.5, tf.mean(tf.square(tf.sub(v, g)))),
    "that clips around 0": (e) => (v, old, g) => value(e)(v, tf.zerosLike(old), g),
    "that clips the error": (e) => (v, _old, g) => tf.mul(0.5, tf.mean(tf.square(tf.clipByValue(tf.sub(v, g), -e, e)))),
  },
})

const ptx: PtxLossOf = (coefficient) => (ppo, text) => ptxLoss(ppo, text, { coefficient })

export const ptxMutants = mutantSet<PtxLossOf>({
  subject: "PPO-ptx",
  laws: (lossOf) => ptxLaws(lossOf),
  real: ptx,
  mutants: {
    "that weighs the PPO loss": (c) => (ppo, text) => tf.add(tf.mul(c, ppo), text),
    "that subtracts the pretraining loss": (c) => ptx(-c),
    "that detaches the pretraining loss": (c) => (ppo, text) => ptx(c)(ppo, tf.scalar(text.dataSync()[0]!)),
    "that takes a mean": (c) => (ppo, text) => tf.div(ptx(c)(ppo, text), 2),
  },
})
