/** A set of laws is worth what it refuses: every law kills a mutant, every mutant is killed, and docs/laws.md says which. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import "./backend.js"
import "./replay.js"
import { mutantSets } from "./mutantSets.js"
import { markdownOf, verdictsOf } from "./table.js"

const file = join(fileURLToPath(new URL("../..", import.meta.url)), "docs", "laws.md")

const sets = mutantSets.map(verdictsOf)

describe.each(sets)("$subject", ({ laws, mutants, runs, real, broken, brokenBy }) => {
  test("the real implementation obeys every law", () => {
    expect(real).toEqual([])
  })

  test("it obeys them on examples of this run's seed too", () => {
    expect(brokenBy(null, process.env.MILLRACE_LONG === undefined ? { runs } : {})).toEqual([])
  })

  test("every law is broken by a mutant", () => {
    const killers = new Set([...broken.values()].flat())
    expect(laws.filter((law) => !killers.has(law))).toEqual([])
  })

  test("every mutant breaks a law", () => {
    expect(mutants.filter((mutant) => broken.get(mutant)!.length === 0)).toEqual([])
  })

  test("no two laws have one name", () => {
    expect(new Set(laws).size).toBe(laws.length)
  })
})

test("there are 480 laws or more, and no two sets have one name", () => {
  expect(sets.reduce((n, { laws }) => n + laws.length, 0)).toBeGreaterThanOrEqual(480)
  expect(new Set(sets.map(({ subject }) => subject)).size).toBe(sets.length)
})

test("docs/laws.md says which law kills which mutant", () => {
  const written = markdownOf(sets)
  if (process.env.UPDATE_LAWS !== undefined) writeFileSync(file, written)
  expect(readFileSync(file, "utf8"), "docs/laws.md is out of date: run npm run laws").toBe(written)
})
