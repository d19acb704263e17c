import { normalisers, ptxLoss, sftLoss } from "@millrace/models"
import { crossEntropyLaws, type LanguageLoss, texts } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose } from "./close.js"
import { bool, float, gradient, grid, ids, real, rows, size } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { broken, law, verify } from "./law.js"
import { maskLaws } from "./maskLaws.js"
import { sftReference } from "./reference/sft.js"

for (const normaliser of normalisers) {
  const loss: LanguageLoss = (logits, tokens, mask) => sftLoss(logits, tokens, mask, { normaliser })
  verify(`sftLoss, ${normaliser}`, [
    ...crossEntropyLaws(loss, { tokenMean: normaliser === "token-mean" }),
    law("it has the value and the gradient of the float64 reference", texts, ({ shape, logits, tokens, mask }) => {
      const [, t, v] = shape
      const axes = shape.slice(0, 2)
      expectGradient(
        (x) => loss(x!, ids(axes, tokens), bool(axes, mask)),
        (x) =>
          sftReference(
            rows(x!, t * v).map((each) => rows(each, v)),
            rows(tokens, t),
            rows(mask, t),
            normaliser,
          ),
        [{ shape, data: logits }],
      )
    }),
  ])
}

const someTokens = ([b, t, v]: ReadonlyArray<number>) =>
  ids(
    [b!, t!],
    Array.from({ length: b! * t! }, (_, i) => (3 * (i % t!) + Math.floor(i / t!)) % v!),
  )

/** Logits [b t v] that predict the tokens of the same column: one column of what is not read on either side. */
const ofSameColumn = (logits: tf.Tensor, mask: tf.Tensor): tf.Scalar => {
  const [b, , v] = logits.shape as [number, number, number]
  const unread = tf.fill([b, 1, v], Number.NaN)
  return sftLoss(
    tf.concat([logits, unread], 1),
    tf.concat([tf.fill([b, 1], -1, "int32"), someTokens(logits.shape)], 1),
    tf.concat([tf.ones([b, 1], "bool"), mask], 1),
    { normaliser: "sequence-mean" },
  )
}

verify(
  "sftLoss, masked",
  maskLaws([[4]], ([logits], mask) => ofSameColumn(logits!, mask)),
)

test("without a mask every token but the first is predicted", () => {
  const [logits, tokens] = [float([1, 3, 2], [1, 3, 9, 7, 5, 5]), ids([1, 3], [0, 1, 0])]
  for (const normaliser of normalisers) {
    const masked = sftLoss(logits, tokens, bool([1, 3], [0, 1, 1]), { normaliser })
    expectClose(sftLoss(logits, tokens, undefined, { normaliser }), masked)
  }
})

verify("ptxLoss", [
  law("with γ = 0 it is the PPO loss", fc.tuple(real(), real()), ([ppo, text]) => {
    expectClose(ptxLoss(tf.scalar(ppo), tf.scalar(text), { coefficient: 0 }), ppo)
  }),
  law(
    "its gradient is the sum of two passes, in either order",
    fc.tuple(grid([4]), size(0, 40)),
    ([x, coefficient]) => {
      const ppo = (w: tf.Tensor): tf.Scalar => tf.sum(tf.square(w))
      const text = (w: tf.Tensor): tf.Scalar => tf.sum(tf.softplus(w))
      const at = float([4], x)
      const joint = gradient((w) => ptxLoss(ppo(w!), text(w!), { coefficient }), [at])[0]!
      const first = gradient((w) => ppo(w!), [at])[0]!
      const second = gradient((w) => tf.mul(coefficient, text(w!)), [at])[0]!
      expectClose(tf.add(first, second), joint)
      expectClose(tf.add(second, first), joint)
    },
  ),
  law(
    "it has the value and the gradient of L + γ text, in float64",
    fc.tuple(real(), real(), size(0, 40)),
    ([ppo, text, coefficient]) => {
      expectGradient(
        (a, b) => ptxLoss(tf.sum(a!), tf.sum(b!), { coefficient }),
        (a, b) => a![0]! + coefficient * b![0]!,
        [
          { shape: [1], data: [ppo] },
          { shape: [1], data: [text] },
        ],
      )
    },
  ),
])

const shifted =
  (
    by: (logits: tf.Tensor, tokens: tf.Tensor, mask: tf.Tensor) => tf.Tensor,
    mean: (x: tf.Tensor, m: tf.Tensor) => tf.Scalar,
  ): LanguageLoss =>
  (logits, tokens, mask) => {
    const [b, t, v] = logits.shape as [number, number, number]
    const kept = tf.slice(mask, [0, 1], [b, t - 1])
    return mean(by(tf.slice(logits, [0, 0, 0], [b, t - 1, v]), tf.slice(tokens, [0, 1], [b, t - 1]), kept), kept)
  }
const oneHot = (tokens: tf.Tensor, v: number) => tf.oneHot(tf.cast(tokens, "int32"), v)
const ce = (logits: tf.Tensor, tokens: tf.Tensor) =>
  tf.neg(tf.sum(tf.mul(oneHot(tokens, logits.shape[2]!), tf.logSoftmax(logits)), -1))
const multiplied = (x: tf.Tensor, m: tf.Tensor): tf.Scalar =>
  tf.div(tf.sum(tf.mul(x, tf.cast(m, "float32"))), tf.sum(tf.cast(m, "float32")))

test.each<[string, LanguageLoss, string]>([
  [
    "that multiplies by its mask",
    shifted(ce, multiplied),
    "what is masked, as logits NaN or as tokens out of range, changes no bit",
  ],
  [
    "that ignores its mask",
    shifted(ce, (x) => tf.mean(x)),
    "logits that predict no token that counts have a gradient of exactly 0",
  ],
  [
    "that scores each token by its own position",
    (logits, tokens, mask) => multiplied(ce(logits, tokens), mask),
    "the gradient is (p − one-hot) / n",
  ],
  [
    "that overflows",
    shifted(
      (logits, tokens) =>
        tf.sub(tf.log(tf.sum(tf.exp(logits), -1)), tf.sum(tf.mul(oneHot(tokens, logits.shape[2]!), logits), -1)),
      multiplied,
    ),
    "a great logit of the right token gives 0, of a wrong one its height, without overflow",
  ],
])("a cross-entropy %s breaks a law", (_, loss, name) => {
  expect(broken(crossEntropyLaws(loss))).toContain(name)
})
