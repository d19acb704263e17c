import { normalisers, ptxLoss, sftLoss } from "@millrace/models"
import { crossEntropyLaws, type LanguageLoss, ptxLaws, texts } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { test } from "vitest"
import { expectClose } from "./close.js"
import { bool, float, ids, real, rows, size } from "./examples.js"
import { expectGradient } from "./finiteDifference.js"
import { law, verify } from "./law.js"
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
  ...ptxLaws((coefficient) => (ppo, text) => ptxLoss(ppo, text, { coefficient })),
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
