import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { collectGarbage, graph, recordRun, storeIn } from "@millrace/core"
import { Effect } from "effect"
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
import { noEngine } from "../run/stages.js"
import { constant, plus, ran } from "./stages.js"

let root = ""
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-garbage-"))
})
afterAll(() => rm(root, { recursive: true }))
beforeEach(() => {
  ran.length = 0
})

const sum = (value: number) =>
  graph("sum", {})
    .node("one", constant({ value: 1 }), {})
    .node("two", plus({ value }), { x: "one" })
    .output("two")

const record = (value: number, name: string) =>
  Effect.runPromise(recordRun(sum(value), { root: join(root, name), seed: 7, cache: "use" }).pipe(noEngine))

const collect = (name: string, options: { readonly dryRun?: boolean; readonly young?: number }) =>
  Effect.runPromise(collectGarbage(join(root, name), options))

const everything = { young: -60_000 }

const files = async (name: string): Promise<number> =>
  (await readdir(storeIn(join(root, name)), { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
    .length

test("what a run folder still has is kept, and what no folder has any more is gone", async () => {
  const kept = await record(2, "some")
  const removed = await record(3, "some")
  await rm(removed.folder.path, { recursive: true })
  const before = await files("some")
  const told = await collect("some", { ...everything, dryRun: true })
  expect(await files("some")).toBe(before)
  expect(await collect("some", everything)).toEqual(told)
  expect(await files("some")).toBe(before - told.files - told.records)
  expect(told.records).toBe(1)
  ran.length = 0
  expect((await record(2, "some")).digests).toEqual(kept.digests)
  expect(ran).toEqual([])
  expect((await record(3, "some")).digests).toEqual(removed.digests)
  expect(ran).toEqual(["two"])
})

test("what is young stays, whatever uses it", async () => {
  const { folder } = await record(2, "young")
  await rm(folder.path, { recursive: true })
  expect(await collect("young", {})).toMatchObject({ records: 0, files: 0 })
  await record(2, "young")
  expect(ran).toEqual(["one", "two"])
})

test("damaged files and those that a killed process left half written go, and a folder without a store has no garbage", async () => {
  await record(2, "left")
  const store = storeIn(join(root, "left"))
  const [first = ""] = await readdir(join(store, "objects"))
  await writeFile(join(store, "objects", first, "abc.part-1-2"), "half")
  await writeFile(join(store, "made", (await readdir(join(store, "made")))[0]!, "0.json"), "no record")
  await writeFile(join(store, "last", "sum", "one.json.part-1-2"), "half")
  expect(await collect("left", everything)).toMatchObject({ records: 1, files: 2 })
  expect(await collect("nowhere", everything)).toMatchObject({ records: 0, files: 0, kept: { records: 0, files: 0 } })
})

test("what a killed process left of a run that it removed goes, and no run with it", async () => {
  const { folder } = await record(2, "begun")
  const begun = join(root, "begun", ".removed-abc-123")
  await mkdir(join(begun, "artifacts"), { recursive: true })
  await writeFile(join(begun, "artifacts", "out"), "a part")
  expect(await collect("begun", { dryRun: true })).toMatchObject({ runs: 1, records: 0 })
  expect(await readdir(join(begun, "artifacts"))).toEqual(["out"])
  expect(await collect("begun", {})).toMatchObject({ runs: 1, records: 0 })
  expect((await readdir(join(root, "begun"))).toSorted()).toEqual([".store", folder.id])
  expect(await collect("begun", {})).toMatchObject({ runs: 0 })
})
