/** Damaged files in whole archives: whoever opens one gets the crate or a typed refusal. MILLRACE_LONG tries more. */
import { rm } from "node:fs/promises"
import { isFailure, sha256 } from "@millrace/core"
import { crateFiles, encodeZip, openCrate } from "@millrace/core/crate"
import { Cause, Effect, Exit } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"
import { options, recorded, types } from "./published.js"

const numRuns = process.env.MILLRACE_LONG ? 20_000 : 100

let root = ""
let whole: Record<string, Uint8Array> = {}
beforeAll(async () => {
  const run = await recorded()
  root = run.root
  whole = { ...crateFiles(run.record, options) }
})
afterAll(() => rm(root, { recursive: true }))

const damaged = [
  "digests.json",
  "environment.json",
  "events.jsonl",
  "graph.json",
  "metrics.json",
  "ro-crate-metadata.json",
  "artifacts/inner.learn/last/model.safetensors",
] as const

/** What a file has in place of a stretch of its own: other bytes, or a value that JSON can hold there. */
const instead = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.json({ maxDepth: 2 }).map((json) => new TextEncoder().encode(json)),
  fc
    .constantFrom("null", "[]", "{}", '"x"', "-1", "1e400", '"__proto__":', "\\ud800", ",", '"@id":')
    .map((part) => new TextEncoder().encode(part)),
)

/** The archive of files whose manifest and metadata tell their digests, as far as they still can be read. */
const archived = (files: Record<string, Uint8Array>): Uint8Array => {
  const { "manifest-sha256.txt": _, ...rest } = files
  const metadata = new TextDecoder().decode(rest["ro-crate-metadata.json"])
  const told = Object.entries(rest).reduce(
    (text, [path, bytes]) => text.replaceAll(sha256(whole[path]!), sha256(bytes)),
    metadata,
  )
  if (rest["ro-crate-metadata.json"] === whole["ro-crate-metadata.json"])
    rest["ro-crate-metadata.json"] = new TextEncoder().encode(told)
  const lines = Object.keys(rest)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((path) => `${sha256(rest[path]!)}  ${path}\n`)
  return encodeZip({ ...rest, "manifest-sha256.txt": new TextEncoder().encode(lines.join("")) })
}

test("whatever stands in place of part of a file, the answer is the crate or a typed refusal", async () => {
  const change = fc.record({
    path: fc.constantFrom(...damaged),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(40),
    put: instead,
  })
  const seen = { opened: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(change, async ({ path, at, cut, put }) => {
      const bytes = whole[path]!
      const place = Math.floor(at * bytes.length)
      const changed = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)])
      const exit = await Effect.runPromiseExit(openCrate(archived({ ...whole, [path]: changed }), types))
      if (Exit.isSuccess(exit)) seen.opened++
      else {
        expect(Cause.hasDies(exit.cause), Cause.pretty(exit.cause)).toBe(false)
        expect(isFailure(Cause.squash(exit.cause))).toBe(true)
        seen.refused++
      }
    }),
    { numRuns },
  )
  expect(seen.refused).toBeGreaterThan(numRuns / 2)
})
