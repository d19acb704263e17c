import type { RunMetric } from "@millrace/core"
import { compareReproduction, type Made, whereOf } from "@millrace/core/crate"
import fc from "fast-check"
import { expect, test } from "vitest"

const here = { engine: "onnxruntime-node 1.30.0 cpu", instructions: "avx512" }
const elsewhere = { ...here, instructions: "neon" }
const tolerance = { absolute: 0.05, relative: 0.1 }

const made = (where: Made["where"], digest: string, value: number): Made => ({
  where,
  digests: { words: { out: "same" }, learn: { out: digest } },
  metrics: [{ stage: "learn", name: "loss", value }],
})

test("on the same engine and instructions one other digest is no reproduction, and says of which stage", () => {
  const same = compareReproduction(made(here, "a", 1), made(here, "a", 1), tolerance)
  expect(same).toMatchObject({ exact: true, reproduced: true })
  const other = compareReproduction(made(here, "a", 1), made(here, "b", 1), tolerance)
  expect(other).toMatchObject({ exact: true, reproduced: false })
  expect(other.stages.filter((stage) => !stage.same)).toEqual([
    { stage: "learn", port: "out", published: "a", again: "b", same: false },
  ])
})

test("on the same engine and instructions the smallest difference of a number is no reproduction", () => {
  const { metrics, reproduced } = compareReproduction(
    made(here, "a", 1),
    made(here, "a", 1 + Number.EPSILON),
    tolerance,
  )
  expect(metrics[0]).toMatchObject({ allowed: 0, within: false })
  expect(reproduced).toBe(false)
})

test("elsewhere digests may differ, and numbers within the tolerance alone", () => {
  expect(compareReproduction(made(here, "a", 2), made(elsewhere, "b", 2.19), tolerance)).toMatchObject({
    exact: false,
    reproduced: true,
  })
  expect(compareReproduction(made(here, "a", 2), made(elsewhere, "b", 2.21), tolerance)).toMatchObject({
    reproduced: false,
  })
  expect(compareReproduction(made(here, "a", 0), made(elsewhere, "b", 0.049), tolerance)).toMatchObject({
    reproduced: true,
  })
  expect(compareReproduction(made(here, "a", 0), made(elsewhere, "b", 0.051), tolerance)).toMatchObject({
    reproduced: false,
  })
})

test("another version of the engine counts as elsewhere", () => {
  const newer = { ...here, engine: "onnxruntime-node 1.31.0 cpu" }
  expect(compareReproduction(made(here, "a", 1), made(newer, "b", 1), tolerance)).toMatchObject({
    exact: false,
    reproduced: true,
  })
})

test("a stage or a number that is missing is no reproduction, wherever it is run", () => {
  const published = made(here, "a", 1)
  const { learn: _, ...digests } = published.digests
  expect(compareReproduction(published, { ...published, where: elsewhere, digests }, tolerance).reproduced).toBe(false)
  expect(compareReproduction(published, { ...published, where: elsewhere, metrics: [] }, tolerance).reproduced).toBe(
    false,
  )
})

test("NaN is reproduced by NaN alone, and an infinity by the same one", () => {
  const numbers = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))
  fc.assert(
    fc.property(numbers, numbers, (published, again) => {
      const { reproduced } = compareReproduction(made(here, "a", published), made(elsewhere, "b", again), tolerance)
      if (!Number.isFinite(published) || !Number.isFinite(again)) expect(reproduced).toBe(Object.is(published, again))
    }),
  )
})

test("whatever is compared with itself is reproduced", () => {
  const metric: fc.Arbitrary<RunMetric> = fc.record({
    stage: fc.constantFrom("a", "b"),
    name: fc.string(),
    value: fc.double(),
  })
  const distinct = fc.uniqueArray(metric, { selector: ({ stage, name }) => `${stage}\n${name}` })
  fc.assert(
    fc.property(distinct, fc.constantFrom(here, elsewhere), (metrics, where) => {
      const run = { where: here, digests: { a: { out: "x" } }, metrics }
      expect(compareReproduction(run, { ...run, where }, tolerance).reproduced).toBe(true)
    }),
  )
})

test("a record that does not tell its instructions is told by its processor", () => {
  expect(whereOf({ engine: "e", cpu: { model: "m", cores: 2, instructions: "avx2" } })).toEqual({
    engine: "e",
    instructions: "avx2",
  })
  expect(whereOf({ engine: "e", cpu: { model: "m", cores: 2 } })).toEqual({ engine: "e", instructions: "m" })
})
