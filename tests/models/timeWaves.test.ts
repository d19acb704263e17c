import "@tensorflow/tfjs-backend-cpu"
import { timeWaves } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { beforeAll, expect, test } from "vitest"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const waves = (time: number, width: number): ReadonlyArray<number> =>
  Array.from(timeWaves(tf.tensor1d([time], "int32"), width).dataSync())

test("each wave is the cosine, and then the sine, of the time at its own frequency", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 8 }), (time, half) => {
      const angles = Array.from({ length: half }, (_, i) => time / 10_000 ** (i / half))
      const wanted = [...angles.map(Math.cos), ...angles.map(Math.sin)]
      waves(time, 2 * half).forEach((v, i) => {
        // float32 holds an angle of 999 to 3e-5.
        expect(Math.abs(v - wanted[i]!)).toBeLessThan(1e-4)
      })
    }),
    { numRuns: 50 },
  )
})

test("an odd width ends in a 0", () => {
  expect(waves(7, 5)).toEqual([...waves(7, 4), 0])
})

test("no two of a thousand times have the same waves", () => {
  const all = timeWaves(tf.range(0, 1000, 1, "int32"), 8).dataSync()
  const rows = new Set(Array.from({ length: 1000 }, (_, i) => all.slice(8 * i, 8 * i + 8).join()))
  expect(rows.size).toBe(1000)
})
