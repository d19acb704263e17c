import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { cases } from "@millrace/bench/cases"
import { largestDifference } from "@millrace/bench/compare"
import { readmeTables, showResult } from "@millrace/bench/report"
import type { Compared, Row } from "@millrace/bench/results"
import { summarise } from "@millrace/bench/statistics"
import { keyFromSeed } from "@millrace/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")

describe("the summary of durations", () => {
  const durations = fc.array(fc.double({ min: 1e-6, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 30 })

  test("does not depend on their order", () => {
    fc.assert(
      fc.property(durations, (values) => {
        expect(summarise(values.toReversed())).toEqual(summarise(values))
      }),
    )
  })

  test("has as many below the median as above, and the quartiles around it", () => {
    fc.assert(
      fc.property(durations, (values) => {
        const { median, lowerQuartile, upperQuartile } = summarise(values)
        const below = values.filter((x) => x < median).length
        const above = values.filter((x) => x > median).length
        expect(Math.max(below, above) * 2).toBeLessThanOrEqual(values.length)
        expect(lowerQuartile).toBeLessThanOrEqual(median)
        expect(upperQuartile).toBeGreaterThanOrEqual(median)
      }),
    )
  })
})

test("losses of other lengths, and losses that are no numbers, never agree", () => {
  expect(largestDifference([2, 3.003], [2, 3])).toBeCloseTo(1e-3)
  expect(largestDifference([2], [2, 3]) <= 1e-3).toBe(false)
  expect(largestDifference([2, Number.NaN], [2, 3]) <= 1e-3).toBe(false)
})

const memory = { main: 2 ** 30, engine: 2 ** 29, total: 2 ** 30 + 2 ** 29 }
const row = (contestant: string, median: number, ratio: number, target: number | null): Row => ({
  contestant,
  version: `${contestant} 1.0`,
  threads: 2,
  median,
  lowerQuartile: median,
  upperQuartile: median,
  rounds: 3,
  ratio,
  target,
  compileSeconds: null,
  losses: [1, 1, 1],
  difference: 1e-6,
  peak: memory,
  peakStepping: memory,
})
const compared: Compared = {
  kind: "compared",
  name: "some",
  title: "some step",
  date: "2026-01-01",
  command: "npm run bench",
  rows: [row("millrace", 0.1, 1, null), row("torch", 0.12, 1.2, 1.3)],
  skipped: [{ contestant: "jax-js", reason: "not installed" }],
}

test("a missed target, a skipped peer and its reason are printed", () => {
  const shown = showResult(compared)
  expect(shown).toContain("≥ 1.3 missed")
  expect(shown).toContain("@jax-js/jax skipped: not installed")
})

test("the README's table has the figures of the results, its machine, date and command", () => {
  const text = readmeTables({ machine: "a machine", threads: 2, results: [compared] })
  expect(text).toContain("| some step | PyTorch eager | 0.100 s | 0.120 s | **1.20** | ≥ 1.3 | 1,536 MiB, 1,536 MiB |")
  for (const part of ["a machine", "2026-01-01", "`npm run bench`"]) expect(text).toContain(part)
})

test("the README has the markers between which the table is written", () => {
  expect(readFileSync(join(root, "README.md"), "utf8")).toMatch(
    /<!-- written by `npm run bench -- --readme` -->\n[\s\S]*<!-- end -->/,
  )
})

test("every network that is trained has a twin in Python, and a batch of the types that it says", () => {
  for (const found of cases) {
    if (found.kind !== "train") continue
    expect(existsSync(join(root, "bench", "peers", `${found.twin}.py`)), found.name).toBe(true)
  }
  const small = cases.find(({ name }) => name === "leak")
  if (small?.kind !== "check") throw new Error("there is no case leak")
  const { inputs, batch } = small.network(keyFromSeed(0))
  expect(Object.keys(inputs)).toEqual(Object.keys(batch))
})
