import { Engine, Engines, float32, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { native } from "../engine/installed.js"

type Shape = ReadonlyArray<number>
const sizeOf = (shape: Shape) => shape.reduce((size, axis) => size * axis, 1)

/** Two batches that fit: axes of a result, some of them 1 on a side, and leading ones left out. */
const batches = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 3 })
  .chain((axes) => fc.tuple(fc.constant(axes), fc.nat(axes.length), fc.nat(axes.length)))
  .map(([axes, cutA, cutB]) => ({
    a: axes.map(([size, one]) => (one ? 1 : size)).slice(cutA),
    b: axes.map(([size, , one]) => (one ? 1 : size)).slice(cutB),
  }))

const tensor = (shape: Shape, seed: number) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed) % 11) - 5),
  )

/** The matrix of a batch by its place in the result, counted with every axis. */
const matrixAt = (batch: Shape, place: Shape): number => {
  const own = place.slice(place.length - batch.length)
  return batch.reduce((at, size, i) => at * size + (size === 1 ? 0 : own[i]!), 0)
}

const placesOf = (shape: Shape): ReadonlyArray<Shape> =>
  shape.reduce<ReadonlyArray<Shape>>(
    (places, size) => places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  )

describe.each(["tfjs:cpu", "tfjs:wasm", "onnx", ...native] as const)("on %s", (name) => {
  test("a product of any batches that fit is that of plain loops over each", { timeout: 30_000 }, () =>
    Effect.gen(function* () {
      const { compile } = yield* Engine
      for (const { a, b } of fc.sample(batches, { seed: 7, numRuns: name === "onnx" ? 25 : 150 })) {
        const result = tf.broadcast_util.assertAndGetBroadcastShape([...a], [...b])
        const [x, y] = [tensor([...a, 2, 3], 1), tensor([...b, 3, 2], 4)]
        const { run } = yield* compile({
          name: "product",
          state: {},
          inputs: { x: spec("float32", x.shape), y: spec("float32", y.shape) },
          body: (_, { x, y }) => ({ outputs: { product: tf.matMul(x!, y!) } }),
        })
        const { product } = yield* run({ inputs: { x, y } })
        expect(product!.shape).toEqual([...result, 2, 2])
        const expected = placesOf(result).flatMap((place) => {
          const [p, q] = [6 * matrixAt(a, place), 6 * matrixAt(b, place)]
          return placesOf([2, 2]).map(([i, j]) =>
            [0, 1, 2].reduce((sum, k) => sum + x.data[p + 3 * i! + k]! * y.data[q + 2 * k + j!]!, 0),
          )
        })
        expect([...product!.data], `${a} · ${b}`).toEqual(expected)
      }
    }).pipe(Effect.scoped, Effect.provide(Engines.layer(name)), Effect.runPromise),
  )
})
