import { keyFromSeed } from "@millrace/core"
import { drawKeeps, dropRates } from "@millrace/models"
import { expect, test } from "vitest"

const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((a, b) => a + b, 0) / x.length

test("half of unCLIP's captions and a tenth of its embeddings are left out, each by itself", () => {
  const n = 20_000
  const { caption, embedding } = drawKeeps(keyFromSeed(1), n, dropRates.unclip)
  // Within four standard deviations of a count of so many.
  const near = (share: number) => 4 * Math.sqrt((share * (1 - share)) / n)
  expect(Math.abs(mean(caption.data) - 0.5)).toBeLessThan(near(0.5))
  expect(Math.abs(mean(embedding.data) - 0.9)).toBeLessThan(near(0.9))
  const both = mean(caption.data.map((v, i) => v * embedding.data[i]!))
  expect(Math.abs(both - 0.45)).toBeLessThan(near(0.45))
})

test("a rate of 0 keeps all and a rate of 1 none, and a mask holds nothing but 0 and 1", () => {
  const { caption, embedding } = drawKeeps(keyFromSeed(2), 100, { caption: 0, embedding: 1 })
  expect(new Set(caption.data)).toEqual(new Set([1]))
  expect(new Set(embedding.data)).toEqual(new Set([0]))
  expect(new Set(drawKeeps(keyFromSeed(3), 100, dropRates.unclip).caption.data)).toEqual(new Set([0, 1]))
})
