import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose, expectSame } from "./close.js"
import { grid, real } from "./examples.js"
import { broken, law } from "./law.js"
import { seed } from "./replay.js"

test("a law that fails prints the seed that replays it and the smallest counterexample", () => {
  const small = law("numbers are below 2", real(4), (x) => {
    if (x >= 2) throw new Error(`${x}`)
  })
  expect(small.check).toThrow(`FC_SEED=${seed} replays it`)
  expect(small.check).toThrow("Counterexample: [2]")
  expect(broken([small])).toEqual(["numbers are below 2"])
})

test("one seed gives the same examples again", () => {
  const seen: Array<ReadonlyArray<number>> = []
  const watch = law("seen", grid([3]), (x) => {
    seen.push(x)
  })
  watch.check()
  const first = seen.splice(0)
  watch.check()
  expect(seen).toEqual(first)
})

test("a law leaves no tensor behind, nor does one that fails", () => {
  const before = tf.memory().numTensors
  law("holds", real(), (x) => void tf.scalar(x)).check()
  law("fails", real(), (x) => {
    tf.scalar(x)
    throw new Error("no")
  }).holds()
  expect(tf.memory().numTensors).toBe(before)
})

test("NaN is near nothing, and neither are too few numbers", () => {
  expect(() => expectClose(Number.NaN, 0)).toThrow("received [NaN]")
  expect(() => expectClose(0, Number.NaN)).toThrow()
  expect(() => expectClose([0], [0, 0])).toThrow()
  expect(() => expectClose(Number.NaN, Number.NaN)).toThrow()
  expect(() => expectSame(Number.NaN, Number.NaN)).toThrow()
  expect(() => expectClose(1.001, 1)).toThrow()
})
