import { normalisers, type PolicyLossConfig, policyLoss, ppoLoss, valueLoss } from "@millrace/models"
import {
  awayFromKinks,
  dualClipLaws,
  estimates,
  type PolicyLossOf,
  policyLossLaws,
  steps,
  type ValueLossOf,
  valueLossLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expectClose } from "./close.js"
import { mask as anyMask, bool, float, real, rows } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { law, verify } from "./law.js"
import { maskLaws } from "./maskLaws.js"
import { policyReference, valueReference } from "./reference/ppo.js"

const tokenMean = { normaliser: "token-mean" } as const

const clippedPolicy: PolicyLossOf = (clip) => (p, old, a) =>
  policyLoss(p, old, a, undefined, { clip, ...tokenMean }).loss
const clippedValue: ValueLossOf = (clip) => (v, old, g) => valueLoss(v, old, g, undefined, { clip, ...tokenMean }).loss

verify("policyLoss", policyLossLaws(clippedPolicy))
verify(
  "policyLoss, with a clamp of the log-ratio out of reach",
  policyLossLaws(
    (clip) => (p, old, a) => policyLoss(p, old, a, undefined, { clip, logRatioClamp: 20, ...tokenMean }).loss,
  ),
)
verify("valueLoss", valueLossLaws(clippedValue))

const masked = steps.chain((e) => fc.record({ e: fc.constant(e), mask: anyMask(e.shape) }))

const maskedEstimates = estimates.chain((e) => fc.record({ e: fc.constant(e), mask: anyMask(e.shape) }))

for (const normaliser of normalisers) {
  const configs: ReadonlyArray<PolicyLossConfig> = [
    { clip: 0.2, normaliser },
    ...(normaliser === "token-mean"
      ? [
          { clip: { low: 0.2, high: 0.3 }, normaliser },
          { clip: 0.2, dualClip: 1.5, normaliser },
        ]
      : []),
  ]
  for (const config of configs) {
    const { low, high } = typeof config.clip === "number" ? { low: config.clip, high: config.clip } : config.clip
    const dual = config.dualClip === undefined ? {} : { dualClip: config.dualClip }
    verify(`policyLoss ${JSON.stringify(config)}`, [
      law("it has the value and the gradients of the float64 reference", masked, ({ e, mask }) => {
        fc.pre(awayFromKinks(e.logProb, e.oldLogProb, [1 - low, 1 + high, config.dualClip ?? 1 - low]))
        fc.pre(e.advantages.every((a) => Math.abs(a) > 1e-3))
        const t = e.shape[1]
        expectGradient(
          (p, old, a) => policyLoss(p!, old!, a!, bool(e.shape, mask), config).loss,
          (p, old, a) =>
            policyReference(rows(p!, t), rows(old!, t), rows(a!, t), rows(mask, t), { low, high, ...dual, normaliser }),
          [e.logProb, e.oldLogProb, e.advantages].map((data) => ({ shape: e.shape, data })),
        )
      }),
      ...maskLaws([[], [], []], ([p, old, a], mask) => policyLoss(p!, old!, a!, mask, config).loss),
    ])
  }
  verify(`valueLoss, clipped, ${normaliser}`, [
    law("it has the value and the gradients of the float64 reference", maskedEstimates, ({ e, mask }) => {
      const range = 0.2
      e.v.forEach((v, i) => {
        const near = e.old[i]! + Math.min(range, Math.max(-range, v - e.old[i]!))
        fc.pre(Math.abs(Math.abs(v - e.old[i]!) - range) > 1e-3)
        fc.pre(v === near || Math.abs(Math.abs(v - e.returns[i]!) - Math.abs(near - e.returns[i]!)) > 1e-3)
      })
      const t = e.shape[1]
      expectGradient(
        (v, old, g) => valueLoss(v!, old!, g!, bool(e.shape, mask), { clip: range, normaliser }).loss,
        (v, old, g) => valueReference(rows(v!, t), rows(old!, t), rows(g!, t), rows(mask, t), { range, normaliser }),
        [e.v, e.old, e.returns].map((data) => ({ shape: e.shape, data })),
      )
    }),
    ...maskLaws([[], [], []], ([v, old, g], mask) => valueLoss(v!, old!, g!, mask, { clip: 0.2, normaliser }).loss),
  ])
  verify(`valueLoss, not clipped, ${normaliser}`, [
    law("it has the value and the gradients of the float64 reference", maskedEstimates, ({ e, mask }) => {
      const t = e.shape[1]
      expectGradient(
        (v, g) => valueLoss(v!, float(e.shape, e.old), g!, bool(e.shape, mask), { normaliser }).loss,
        (v, g) => valueReference(rows(v!, t), rows(e.old, t), rows(g!, t), rows(mask, t), { normaliser }),
        [e.v, e.returns].map((data) => ({ shape: e.shape, data })),
      )
    }),
    ...maskLaws([[], []], ([v, g], mask) => valueLoss(v!, v!, g!, mask, { normaliser }).loss),
  ])
}

verify(
  "the dual clip",
  dualClipLaws(
    (dualClip) => (p, old, a) =>
      policyLoss(p, old, a, undefined, { clip: 0.2, ...(dualClip === undefined ? {} : { dualClip }), ...tokenMean })
        .loss,
  ),
)

verify("ppoLoss", [
  law(
    "it is the policy loss plus the weighted value loss, and so is its gradient",
    fc.tuple(steps, real(1)),
    ([{ shape, logProb, oldLogProb, advantages }, c]) => {
      const [old, a, none] = [
        float(shape, oldLogProb),
        float(shape, advantages),
        bool(
          shape,
          advantages.map(() => 1),
        ),
      ]
      const config = { clip: 0.2, valueClip: 0.5, valueCoefficient: c, ...tokenMean }
      const batch = (p: tf.Tensor, v: tf.Tensor) => ({
        logProb: p,
        oldLogProb: old,
        advantages: a,
        values: v,
        oldValues: a,
        returns: old,
        mask: none,
      })
      const joint = tf.grads((p, v) => ppoLoss(batch(p, v), config).loss)([
        float(shape, logProb),
        float(shape, logProb),
      ])
      const policy = tf.grads((p) => policyLoss(p, old, a, none, config).loss)([float(shape, logProb)])
      const value = tf.grads((v) => tf.mul(c, valueLoss(v, a, old, none, { clip: 0.5, ...tokenMean }).loss))([
        float(shape, logProb),
      ])
      expectClose(joint[0]!, policy[0]!)
      expectClose(joint[1]!, value[0]!)
    },
  ),
  ...maskLaws(
    [[], [], [], [], [], []],
    ([p, old, a, v, oldV, g], mask) =>
      ppoLoss(
        { logProb: p!, oldLogProb: old!, advantages: a!, values: v!, oldValues: oldV!, returns: g!, mask },
        { clip: 0.2, valueClip: 0.2, valueCoefficient: 0.1, normaliser: "sequence-mean" },
      ).loss,
  ),
])

verify("the statistics of policyLoss", [
  law("the clip fraction is the share of tokens whose gradient is cut, of those that count", masked, ({ e, mask }) => {
    fc.pre(awayFromKinks(e.logProb, e.oldLogProb, [0.8, 1.2]))
    const cut = e.advantages.map((a, i) => {
      const ratio = Math.exp(e.logProb[i]! - e.oldLogProb[i]!)
      return (a > 0 && ratio > 1.2) || (a < 0 && ratio < 0.8) ? 1 : 0
    })
    const counted = cut.filter((_, i) => mask[i] === 1)
    const { clipFraction } = policyLoss(
      float(e.shape, e.logProb),
      float(e.shape, e.oldLogProb),
      float(e.shape, e.advantages),
      bool(e.shape, mask),
      { clip: 0.2, ...tokenMean },
    )
    expectClose(clipFraction, counted.filter((c) => c === 1).length / counted.length)
  }),
  law("the KL is ½ the mean square of the log-ratio, of the tokens that count", masked, ({ e, mask }) => {
    const squares = e.logProb.map((x, i) => (x - e.oldLogProb[i]!) ** 2 / 2).filter((_, i) => mask[i] === 1)
    const { approxKl } = policyLoss(
      float(e.shape, e.logProb),
      float(e.shape, e.oldLogProb),
      float(e.shape, e.advantages),
      bool(e.shape, mask),
      { clip: 0.2, ...tokenMean },
    )
    expectClose(approxKl, squares.reduce((a, b) => a + b, 0) / squares.length)
  }),
])
