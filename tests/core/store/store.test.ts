import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { Disk, type Graph, graph, nodeDisk, recordRun } from "@millrace/core"
import { Effect } from "effect"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest"
import { noEngine } from "../run/stages.js"
import { adding, applied, constant, manifest, outside, plus, ran, reading, unlist } from "./stages.js"

let root = ""
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-store-"))
})
afterAll(() => rm(root, { recursive: true }))
beforeEach(() => {
  ran.length = 0
})

const chain = (second: number, third = 3) =>
  graph("chain", {})
    .node("one", constant({ value: 1 }), {})
    .node("two", plus({ value: second }), { x: "one" })
    .node("three", plus({ value: third }), { x: "two" })
    .node("beside", plus({ value: 10 }), { x: "one" })
    .output("three", "beside")

const record = (of: Graph, name: string, seed = 7, cache: "use" | "renew" = "use") =>
  Effect.runPromise(recordRun(of, { root: join(root, name), seed, cache }).pipe(noEngine))

/** Every file below a folder. */
const filesIn = async (folder: string): Promise<ReadonlyArray<string>> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

test("a second run of an unchanged graph runs nothing, and leaves what the first one left", async () => {
  const first = await record(chain(2), "same")
  expect(ran).toEqual(["one", "two", "three", "beside"])
  const second = await record(chain(2), "same")
  expect(ran).toHaveLength(4)
  expect(second.outputs).toEqual(first.outputs)
  expect(second.digests).toEqual(first.digests)
  const inside = async ({ folder }: typeof first, name: string) =>
    (await filesIn(join(folder.path, name))).map((path) => path.slice(folder.path.length))
  for (const name of ["artifacts", "images"]) expect(await inside(second, name)).toEqual(await inside(first, name))
  expect(await readFile(join(second.folder.path, "digests.json"))).toEqual(
    await readFile(join(first.folder.path, "digests.json")),
  )
  for (const [name, stage] of second.story.stages) {
    expect(stage).toMatchObject({ status: "cached", from: first.folder.id })
    expect(stage.tables).toEqual(first.story.stages.get(name)?.tables)
  }
})

test("a changed config runs its stage and those that depend on it, and nothing else", async () => {
  await record(chain(2), "config")
  ran.length = 0
  expect((await record(chain(5), "config")).outputs).toEqual({ three: 9, beside: 11 })
  expect(ran).toEqual(["two", "three"])
  ran.length = 0
  expect((await record(chain(5, 4), "config")).outputs).toEqual({ three: 10, beside: 11 })
  expect(ran).toEqual(["three"])
})

test("a stage that makes the same as before in another way lets those after it be", async () => {
  const summing = (a: number, b: number) =>
    graph("summing", {})
      .node("one", constant({ value: a }), {})
      .node("two", plus({ value: b }), { x: "one" })
      .node("three", plus({ value: 1 }), { x: "two" })
      .output("three")
  await record(summing(1, 4), "early")
  ran.length = 0
  await record(summing(2, 3), "early")
  expect(ran).toEqual(["one", "two"])
})

test("another seed and `renew` run every stage", async () => {
  await record(chain(2), "seed")
  ran.length = 0
  await record(chain(2), "seed", 8)
  expect(ran).toHaveLength(4)
  await record(chain(2), "seed", 8, "renew")
  expect(ran).toHaveLength(8)
})

test("a stage whose files are a manifest runs again only if a stage that runs needs its value", async () => {
  const listing = (value: number) =>
    graph("listing", {})
      .node("data", manifest({ value: 7 }), {})
      .node("sum", unlist({ value }), { x: "data" })
      .output("sum")
  await record(listing(1), "manifest")
  ran.length = 0
  expect((await record(listing(1), "manifest")).outputs).toEqual({ sum: 8 })
  expect(ran).toEqual([])
  expect((await record(listing(2), "manifest")).outputs).toEqual({ sum: 9 })
  expect(ran).toEqual(["data", "sum"])
})

test("a stage whose value is code runs again when a stage that runs needs it", async () => {
  const ruled = (value: number) =>
    graph("ruled", {})
      .node("rule", adding({ value: 5 }), {})
      .node("sum", applied({ value }), { rule: "rule" })
      .output("sum")
  await record(ruled(1), "code")
  ran.length = 0
  expect((await record(ruled(2), "code")).outputs).toEqual({ sum: 7 })
  expect(ran).toEqual(["rule", "sum"])
})

test("a volatile stage runs each time, and those after it only if it made something else", async () => {
  const of = graph("volatile", {})
    .node("data", reading({}), {})
    .node("sum", plus({ value: 1 }), { x: "data" })
    .output("sum")
  await record(of, "volatile")
  await record(of, "volatile")
  expect(ran).toEqual(["data", "sum", "data"])
  outside.value = 2
  expect((await record(of, "volatile")).outputs).toEqual({ sum: 3 })
  expect(ran).toEqual(["data", "sum", "data", "data", "sum"])
})

test("a byte that changed in any file of the store is found, and what it belongs to is made again", async () => {
  const first = await record(chain(2), "bytes")
  const store = join(root, "bytes", ".store")
  const files = (await filesIn(store)).filter((path) => !path.includes(`${store}/last/`))
  expect(files.length).toBeGreaterThan(10)
  for (const file of files) {
    const bytes = await readFile(file)
    bytes[Math.floor(bytes.length / 2)]! ^= 1
    await writeFile(file, bytes)
    ran.length = 0
    const again = await record(chain(2), "bytes")
    expect(again.digests, file).toEqual(first.digests)
    expect(ran.length, file).toBeGreaterThan(0)
    ran.length = 0
    await record(chain(2), "bytes")
    expect(ran, file).toEqual([])
  }
})

test("a record that was cut off at any byte, or is missing, is no record", async () => {
  const of = graph("cut", {})
    .node("one", constant({ value: 1 }), {})
    .output("one")
  await record(of, "cut")
  const [file = ""] = await filesIn(join(root, "cut", ".store", "made"))
  const whole = await readFile(file)
  for (let end = 0; end < whole.length; end += 97) {
    await writeFile(file, whole.subarray(0, end))
    ran.length = 0
    expect((await record(of, "cut")).outputs).toEqual({ one: 1 })
    expect(ran).toEqual(["one"])
  }
  await rm(file)
  await record(of, "cut")
  expect(ran).toEqual(["one", "one"])
})

test("runs that share a store at once all end with the same digests, and leave it whole", async () => {
  const runs = await Promise.all(Array.from({ length: 8 }, () => record(chain(2), "shared")))
  for (const { digests } of runs) expect(digests).toEqual(runs[0]?.digests)
  ran.length = 0
  await record(chain(2), "shared")
  expect(ran).toEqual([])
})

/** What a run reads from the store's folders, and what it writes there. */
const watched = async (of: Graph, name: string) => {
  const reads: Array<string> = []
  const writes: Array<string> = []
  const { digests } = await Effect.runPromise(
    recordRun(of, { root: join(root, name), seed: 7, cache: "use" }).pipe(
      noEngine,
      Effect.provideService(Disk, {
        ...nodeDisk,
        read: (path) => {
          reads.push(path)
          return nodeDisk.read(path)
        },
        rename: (from, to) => {
          writes.push(to)
          return nodeDisk.rename(from, to)
        },
      }),
    ),
  )
  const inside = (paths: ReadonlyArray<string>, folder: string) =>
    paths.filter((path) => path.includes(join(".store", folder)))
  return { digests, objects: inside(reads, "objects").length, last: inside(writes, "last") }
}

test("the key that a stage was last looked for under is written when it changes, and not each time", async () => {
  await record(chain(2), "last")
  expect((await watched(chain(2), "last")).last).toEqual([])
  const { last } = await watched(chain(2, 4), "last")
  expect(last.map((path) => basename(path))).toEqual(["three.json"])
})

/** References as they are before memory is short, and after. */
class Held<T> {
  readonly deref: () => T
  constructor(target: T) {
    this.deref = () => target
  }
}
class Freed {
  deref(): undefined {}
}
afterEach(() => vi.unstubAllGlobals())

test("what was read and checked when a stage was found is not read again for its value while it is in memory", async () => {
  await record(chain(2), "once")
  // Each stage that is found is read once, whole: two files of its output, a picture, and what it told.
  vi.stubGlobal("WeakRef", Held)
  const held = await watched(chain(2), "once")
  expect(held.objects).toBe(4 * 4)
  // The graph asks for the values of two of them.
  vi.stubGlobal("WeakRef", Freed)
  const freed = await watched(chain(2), "once")
  expect(freed.objects).toBe(4 * 4 + 2 * 2)
  expect(freed.digests).toEqual(held.digests)
})
