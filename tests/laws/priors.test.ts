import { BadData, float32 } from "@millrace/core"
import {
  closestCandidate,
  codeLoss,
  fitPca,
  fitRange,
  priorLoss,
  scaleEmbeddings,
  unscaleEmbeddings,
  upperHalf,
} from "@millrace/models"
import { bucketLaws, candidateLaws, codeLossLaws, componentLaws, priorLossLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { expectClose } from "./close.js"
import { float, grid } from "./examples.js"
import { law, verify } from "./law.js"
import { buckets, components } from "./mutants/priors.js"

verify("principal components", componentLaws(components))
verify("buckets", bucketLaws(buckets))
verify("closestCandidate", candidateLaws(closestCandidate))
verify("priorLoss", priorLossLaws(priorLoss))
verify("codeLoss", codeLossLaws(codeLoss))

verify("scaleEmbeddings", [
  law("unscaling undoes scaling, and the embeddings given stay as they are", grid([2, 3]), (data) => {
    const z = float([2, 3], data)
    const statistics = { kind: "statistics", mean: tf.tensor1d([1, -2, 3]), std: tf.tensor1d([0.5, 2, 1]) } as const
    for (const scale of [{ kind: "factor", factor: 17.2 } as const, statistics]) {
      expectClose(unscaleEmbeddings(scaleEmbeddings(z, scale), scale), data)
      expectClose(z, data)
    }
  }),
])

test("an autoregressive prior is given dot products of the upper half", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1 }), (dots) => {
      const upper = upperHalf(float32([dots.length], dots)).data
      const sorted = dots.toSorted((a, b) => a - b)
      expect([...upper]).toEqual(sorted.slice(Math.floor(dots.length / 2)))
    }),
  )
  expect(() => upperHalf(float32([0], []))).toThrow(BadData)
  expect(() => upperHalf(float32([2], [0, Number.NaN]))).toThrow("NaN")
})

test("too few embeddings for the components are refused, and components that are all the same", () => {
  expect(() => fitPca(float32([2, 3], [1, 2, 3, 4, 5, 6]), 2)).toThrow(BadData)
  expect(() => fitPca(float32([3, 2], [1, 2, 3, 4, 5, Number.NaN]), 1)).toThrow("not all finite")
  expect(() => fitRange(float32([2, 2], [1, 2, 3, 2]))).toThrow("component 1 is 2")
})
