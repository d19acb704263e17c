import { ShapeMismatch } from "@millrace/core"
import { contrastiveLoss, matchingLoss } from "@millrace/models"
import { contrastiveLaws, matchingLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { verify } from "./law.js"
import { contrastive } from "./mutants/contrastive.js"

verify("matchingLoss", matchingLaws(matchingLoss))
verify("contrastiveLoss", contrastiveLaws(contrastive))

test("features of two widths are refused with both shapes", () => {
  const failure = () => contrastiveLoss(tf.ones([2, 3]), tf.ones([2, 4]), tf.scalar(0))
  expect(failure).toThrow(ShapeMismatch)
  expect(failure).toThrow(/texts \[2, 4\]/)
})

test("logits that are not square are refused", () => {
  expect(() => matchingLoss(tf.ones([2, 3]))).toThrow(/logits \[2, 3\]/)
})
