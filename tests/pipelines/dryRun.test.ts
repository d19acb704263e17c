/** What a run would take, told before it runs. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { tensorMemory } from "@millrace/core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { experiment } from "../core/crate/published.js"
import { here } from "./here.js"

const learning = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs", "learning.js")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-dry-"))
})
afterAll(() => rm(folder, { recursive: true }))

interface Planned {
  readonly stage: string
  readonly state: string
  readonly memory?: number
  readonly tensors?: number
}

const dry = async (...args: ReadonlyArray<string>) => {
  const { code, out } = await here(["run", learning, "--engine", "tfjs:cpu", "--out", folder, "--dry-run", ...args])
  expect(code).toBe(0)
  return out
}
const planned = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<Planned>> =>
  JSON.parse(await dry("--json", ...args))

test("before the first run the tensors of a stage are counted, and what cannot be is unknown; after it memory is what was measured", async () => {
  const [corpus, tokenizer, pretrain] = await planned()
  for (const stage of [corpus, tokenizer]) expect([stage?.memory, stage?.tensors]).toEqual([undefined, undefined])
  expect(pretrain?.memory).toBeUndefined()
  // Embedding, positions, a block, the last norm; with two moments each.
  const parameters = 270 * 8 + 8 * 8 + (12 * 8 * 8 + 13 * 8) + 2 * 8
  expect(pretrain?.tensors).toBeGreaterThan(3 * 4 * parameters)
  expect(pretrain?.tensors).toBeLessThan(12 * 4 * parameters)
  const text = await dry()
  expect(text).toMatch(/▸ runs +pretrain +tensors of about \d+ kB, by their shapes/)
  expect(text).toMatch(
    /0 of 3 stages are cached; 3 never timed; tensors of about \d+ kB at once; memory of 2 unknown$/m,
  )

  const ran = await here(["run", learning, "--engine", "tfjs:cpu", "--out", folder, "--quiet"])
  expect(ran.code).toBe(0)
  expect(await dry()).toMatch(/3 of 3 stages are cached; nothing runs$/m)
  const again = await planned("--set", "pretrain.fit.steps=4")
  expect(again.map(({ state }) => state)).toEqual(["cached", "cached", "runs"])
  expect(again[2]?.tensors === undefined).toBe(process.platform === "linux")
  if (process.platform !== "linux") return
  expect(again[2]?.memory).toBeGreaterThan(2 ** 25)
  expect(await dry("--set", "pretrain.fit.steps=4")).toMatch(/; memory of \d+ [MG]B, going by the last time$/m)
})

test("tensors of a call are its state, its inputs, and what lives of what it makes", () => {
  // w + x, times 2: two vectors held with the number 2, and two made, which live together once.
  expect([...tensorMemory(experiment)]).toEqual([["inner.learn", 4 * (2 + 2 + 1 + 2 + 2)]])
  expect([...tensorMemory(experiment, () => false)]).toEqual([])
})
