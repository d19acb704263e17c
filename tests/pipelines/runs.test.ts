import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { claimRun } from "@millrace/core"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { here } from "./here.js"

const counting = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs", "counting.js")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-runs-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the counting graph into a folder of runs. */
const counted = async (out: string, ...given: ReadonlyArray<string>): Promise<string> => {
  const { code, out: text } = await here([
    "run",
    counting,
    "--json",
    "--quiet",
    "--engine",
    "tfjs:cpu",
    "--out",
    out,
    ...given,
  ])
  expect(code).toBe(0)
  return JSON.parse(text).run
}

const root = async (name: string): Promise<string> => {
  const path = join(folder, name)
  await mkdir(path)
  return path
}

/** A command that must succeed; its answer as JSON. */
const told = async (...args: ReadonlyArray<string>) => {
  const { code, out, err } = await here([...args, "--json"])
  expect([code, err]).toEqual([0, ""])
  return JSON.parse(out)
}

describe("millrace runs ls", () => {
  test("lists the newest first, passes over what is no run, and tells what is wrong with a damaged one", async () => {
    const out = await root("ls")
    const first = await counted(out)
    const second = await counted(out, "--set", "total.steps=3")
    await here([
      "run",
      counting,
      "--quiet",
      "--engine",
      "tfjs:cpu",
      "--out",
      out,
      "--seed",
      "9",
      "--set",
      "total.end=fail",
    ])
    await mkdir(join(out, "notes"))
    await writeFile(join(out, "notes", "readme.txt"), "no run")
    await writeFile(join(out, first, "environment.json"), "{")
    await rm(join(out, first, "run.json"))
    const runs = await told("runs", "ls", "--out", out)
    expect(runs).toHaveLength(3)
    expect(runs.map((run: { run: string }) => run.run)).toContain(second)
    expect(runs.map((run: { run: string }) => run.run)).not.toContain("notes")
    const stateOf = (id: string) => runs.find((run: { run: string }) => run.run === id)
    expect(stateOf(second)).toMatchObject({
      graph: "counting",
      seed: "0",
      engine: "tfjs:cpu",
      state: "done",
      damage: [],
    })
    expect(stateOf(first).damage).toEqual([
      expect.stringContaining("environment.json: not what a run writes"),
      "run.json: not there",
    ])
    const failed = runs.find((run: { state: string }) => run.state === "failed")
    expect(failed).toMatchObject({ seed: "9" })
    const order = runs.filter((run: { began: string | null }) => run.began !== null)
    expect(order.map(({ began }: { began: string }) => began)).toEqual(
      order
        .map(({ began }: { began: string }) => began)
        .toSorted()
        .toReversed(),
    )
    const { out: text } = await here(["runs", "ls", "--out", out])
    expect(text).toContain(`${first} is damaged: run.json: not there`)
  })

  test("shows the main number of an evaluation that it knows, and the first of any other", async () => {
    const out = await root("numbers")
    const id = await counted(out)
    const metrics = { "base.gold": 1, "ppo.gold": 2, prompts: 3 }
    await writeFile(join(out, id, "artifacts", "total", "out", "metrics.json"), JSON.stringify(metrics))
    const metricOf = async () => (await told("runs", "ls", "--out", out))[0].metric
    expect(await metricOf()).toEqual({ stage: "total", name: "base.gold", value: 1 })
    const events = join(out, id, "events.jsonl")
    const text = await readFile(events, "utf8")
    await writeFile(events, text.replaceAll("counting.count@1", "instructgpt.evaluate@3"))
    expect(await metricOf()).toEqual({ stage: "total", name: "ppo.gold", value: 2 })
  })

  test("a folder without runs is no error", async () => {
    expect(await told("runs", "ls", "--out", join(folder, "nothing"))).toEqual([])
  })

  test("a run whose process is at work is running, and killed once the process is gone", async () => {
    const out = await root("alive")
    const id = await counted(out)
    const events = join(out, id, "events.jsonl")
    const lines = (await readFile(events, "utf8")).split("\n")
    await writeFile(events, `${lines.slice(0, 3).join("\n")}\n{"type":"stage.st`)
    const during = await Effect.runPromise(
      Effect.scoped(
        Effect.andThen(
          claimRun(join(out, id)),
          Effect.promise(() => told("runs", "ls", "--out", out)),
        ),
      ),
    )
    expect(during).toMatchObject([{ run: id, state: "running" }])
    expect(await told("runs", "ls", "--out", out)).toMatchObject([{ run: id, state: "killed", damage: [] }])
  })
})

test("runs show tells stages, digests, tables, settings and the machine", async () => {
  const out = await root("show")
  const id = await counted(out, "--set", "total.steps=3")
  const shown = await told("runs", "show", id, "--out", out)
  expect(shown).toMatchObject({
    run: id,
    state: "done",
    settings: { "first.from": "40", "total.steps": "3", "total.end": "done" },
    origin: { graph: counting, preset: null, set: ["total.steps=3"] },
  })
  expect(shown.environment.node).toBe(process.versions.node)
  const digests = JSON.parse(await readFile(join(out, id, "digests.json"), "utf8"))
  const [first, total] = shown.stages
  expect([first.digests, total.digests]).toEqual([digests.first, digests.total])
  expect(total).toMatchObject({ state: "done", step: 3, steps: 3, tables: [{ title: "Count", rows: [["sum", 43]] }] })
  const { out: text } = await here(["runs", "show", id, "--out", out])
  for (const piece of [
    "total.steps  3",
    digests.total.out.slice(0, 12),
    "sum      43",
    "3 of 3",
    "--set total.steps=3",
  ]) {
    expect(text).toContain(piece)
  }
})

describe("millrace runs diff", () => {
  test("of two runs that differ in one number it says which one, and what that changed", async () => {
    const out = await root("diff")
    const a = await counted(out)
    const b = await counted(out, "--set", "total.steps=3")
    const difference = await told("runs", "diff", a, b, "--out", out)
    expect(difference).toMatchObject({
      run: [],
      graph: [{ what: "total.steps", a: 2, b: 3 }],
      environment: [],
      stages: [
        { stage: "first", verdict: "same" },
        { stage: "total", verdict: "different" },
      ],
    })
    expect(difference.metrics).toContainEqual({
      stage: "total",
      name: "Count: sum, value",
      a: 42,
      b: 43,
      difference: 1,
    })
    const { out: text } = await here(["runs", "diff", a, b, "--out", out])
    expect(text).toContain("They differ in total.steps alone: 2 in A, 3 in B.")
    expect(text).toContain("1 of 2 stages made something else, first total")
  })

  test("of a run and itself it finds nothing, and of two seeds the seed alone", async () => {
    const out = await root("seeds")
    const a = await counted(out)
    const again = await counted(out)
    const b = await counted(out, "--seed", "1")
    const same = await told("runs", "diff", a, again, "--out", out)
    expect([same.run, same.graph, same.environment, same.metrics]).toEqual([[], [], [], []])
    expect(same.stages.map(({ verdict }: { verdict: string }) => verdict)).toEqual(["same", "same"])
    expect(same.equalMetrics).toBeGreaterThan(0)
    const other = await told("runs", "diff", a, b, "--out", out)
    expect(other).toMatchObject({ run: [{ what: "seed", a: "0", b: "1" }], graph: [] })
  })

  test("a stage that did not end in both is neither same nor different", async () => {
    const out = await root("open")
    const a = await counted(out)
    await here(["run", counting, "--quiet", "--engine", "tfjs:cpu", "--out", out, "--set", "total.end=fail"])
    const difference = await told("runs", "diff", a, "latest", "--out", out)
    expect(difference.stages).toMatchObject([
      { stage: "first", verdict: "same" },
      { stage: "total", verdict: "open", outputs: [{ port: "out", b: null }] },
    ])
  })
})

describe("a run is named by", () => {
  test("its name, the beginning of it, latest, or its path, from any folder of runs", async () => {
    const out = await root("names")
    const a = await counted(out)
    const b = await counted(out, "--seed", "1")
    const found = async (name: string) => (await told("runs", "show", name, "--out", out)).run
    expect(await found(a)).toBe(a)
    expect(await found(b.slice(0, 6))).toBe(b)
    expect(await found("latest")).toBe(b)
    expect((await told("runs", "show", join(out, a))).run).toBe(a)
  })

  test("the beginning of several names is refused, and a whole name is not, whatever begins with it", async () => {
    const out = await root("several")
    const a = await counted(out)
    const again = await counted(out)
    expect(again).toBe(`${a}-2`)
    expect((await told("runs", "show", a, "--out", out)).run).toBe(a)
    const { code, err } = await here(["runs", "show", a.slice(0, 4), "--out", out])
    expect(code).toBe(2)
    expect(err).toContain(again)
  })

  test.each([
    ["an unknown name", (out: string) => ["zzz", "--out", out], /did you mean|there is/],
    ["nothing", (out: string) => ["", "--out", out], /received {2}""/],
    ["a path where no run is", () => ["./packages"], /holds none/],
    ["latest where there are none", (out: string) => ["latest", "--out", join(out, "none")], /has no run/],
  ])("%s is wrong usage", async (_, args, message) => {
    const out = join(folder, "names")
    const { code, out: text, err } = await here(["runs", "show", ...args(out)])
    expect([code, text]).toEqual([2, ""])
    expect(err).toMatch(message)
  })
})

describe("millrace runs rm", () => {
  test("removes what it is told to and nothing else, the store least of all", async () => {
    const out = await root("rm")
    const [a, b, c] = [await counted(out), await counted(out, "--seed", "1"), await counted(out, "--seed", "2")]
    const store = await readdir(join(out, ".store", "objects"))
    expect(await told("runs", "rm", a, b.slice(0, 7), a, "--yes", "--out", out)).toEqual({ removed: [a, b] })
    expect((await readdir(out)).toSorted()).toEqual([".store", c].toSorted())
    expect(await readdir(join(out, ".store", "objects"))).toEqual(store)
  })

  test("without a terminal and without --yes it removes nothing", async () => {
    const out = await root("ask")
    const id = await counted(out)
    const { code, err } = await here(["runs", "rm", id, "--out", out])
    expect(code).toBe(2)
    expect(err).toContain("--yes")
    expect(existsSync(join(out, id, "graph.json"))).toBe(true)
  })

  test("a run that a process writes stays, and so do those named with it", async () => {
    const out = await root("busy")
    const [a, b] = [await counted(out), await counted(out, "--seed", "1")]
    const { code, err } = await Effect.runPromise(
      Effect.scoped(
        Effect.andThen(
          claimRun(join(out, b)),
          Effect.promise(() => here(["runs", "rm", a, b, "--yes", "--out", out])),
        ),
      ),
    )
    expect(code).toBe(2)
    expect(err).toContain(`process ${process.pid}`)
    expect(existsSync(join(out, a, "graph.json")) && existsSync(join(out, b, "graph.json"))).toBe(true)
    expect(await told("runs", "rm", b, "--yes", "--out", out)).toEqual({ removed: [b] })
  })
})

describe("millrace report", () => {
  test("writes the page of a run anew from its folder, as the run itself wrote it", async () => {
    const out = await root("report")
    const id = await counted(out)
    const page = join(out, id, "report.html")
    const first = await readFile(page, "utf8")
    await rm(page)
    expect(await told("report", id, "--out", out)).toMatchObject({ report: page })
    const again = await readFile(page, "utf8")
    expect(again).toBe(first)
    expect((await here(["report", id, "--out", out, "--to", join(folder, "page.html")])).code).toBe(0)
    expect(await readFile(join(folder, "page.html"), "utf8")).toBe(first)
  })

  test("--with compares two runs on one page", async () => {
    const out = await root("with")
    const [a, b] = [await counted(out), await counted(out, "--set", "total.steps=3")]
    const page = join(folder, "both.html")
    await told("report", a, "--with", b, "--out", out, "--to", page)
    const text = await readFile(page, "utf8")
    for (const piece of [a, b, "total.steps", "1 of 2 stages made something else, first total"])
      expect(text).toContain(piece)
  })

  test("of a run whose module is gone tells less, and says so; of a damaged one tells which line is wrong", async () => {
    const out = await root("gone")
    const id = await counted(out)
    const file = join(out, id, "run.json")
    const run = JSON.parse(await readFile(file, "utf8"))
    await writeFile(file, JSON.stringify({ ...run, origin: { ...run.origin, graph: join(folder, "gone.js") } }))
    const { code, err } = await here(["report", id, "--out", out])
    expect(code).toBe(0)
    expect(err).toContain("--module")
    expect((await here(["report", id, "--out", out, "--module", counting, "--quiet"])).err).toBe("")
    const events = join(out, id, "events.jsonl")
    await writeFile(events, `{"type":"stage.note"}\n${await readFile(events, "utf8")}`)
    const damaged = await here(["report", id, "--out", out])
    expect(damaged.code).toBe(1)
    expect(damaged.err).toContain("line 1")
  })
})
