import "@tensorflow/tfjs-backend-cpu"
import { float32, type HostTensor, keyFromSeed, ShapeMismatch } from "@millrace/core"
import { alignedCrops, doubled } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { beforeAll, expect, test } from "vitest"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

/** Images in which every number is another. */
const numbered = (shape: ReadonlyArray<number>) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i),
  )

const twice = (x: HostTensor): HostTensor => {
  const y = doubled(tf.tensor(x.data, [...x.shape]))
  return float32(y.shape, Float32Array.from(y.dataSync()))
}

test("the crops of images and of their enlargements are again crops and their enlargements", () => {
  fc.assert(
    fc.property(
      fc.record({
        b: fc.integer({ min: 1, max: 3 }),
        y: fc.constantFrom(4, 8),
        x: fc.constantFrom(4, 12),
        c: fc.constantFrom(1, 3),
      }),
      fc.nat(),
      ({ b, y, x, c }, seed) => {
        const small = numbered([b, y, x, c])
        const crops = alignedCrops({ large: twice(small), small }, keyFromSeed(seed))
        expect(crops.small.shape).toEqual([b, y / 4, x / 4, c])
        expect(crops.large).toEqual(twice(crops.small))
      },
    ),
    { numRuns: 30 },
  )
})

test("every place of an image is cut out under some key", () => {
  const small = numbered([1, 4, 4, 1])
  const seen = new Set(
    Array.from({ length: 200 }, (_, i) => alignedCrops({ large: small, small }, keyFromSeed(i)).small.data[0]),
  )
  expect(seen.size).toBe(16)
})

test("images of one batch are cut in places of their own", () => {
  const small = numbered([8, 8, 8, 1])
  const corners = alignedCrops({ large: small, small }, keyFromSeed(1)).small.data.filter((_, i) => i % 4 === 0)
  expect(new Set([...corners].map((n) => n % 64)).size).toBeGreaterThan(3)
})

test("sides that do not divide are refused, and the error says which would", () => {
  const cut = () => alignedCrops({ large: numbered([1, 12, 12, 1]), small: numbered([1, 6, 6, 1]) }, keyFromSeed(1))
  expect(cut).toThrow(ShapeMismatch)
  expect(cut).toThrow("multiples of 4")
})
