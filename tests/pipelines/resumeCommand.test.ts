/**
 * Processes that are stopped and killed, each followed by `millrace resume`. The long form kills each pipeline a hundred times, at its
 * smallest size (MILLRACE_KILLS for another number).
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeEvents, keyFromSeed, random, split, storyOf } from "@millrace/core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { here } from "./here.js"

const long = process.env.MILLRACE_LONG !== undefined
const kills = Number(process.env.MILLRACE_KILLS ?? 100)

const require = createRequire(import.meta.url)
const bin = join(dirname(require.resolve("@millrace/pipelines/package.json")), "bin", "millrace.js")
const lasting = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs", "lasting.js")
const eager = ["--engine", "tfjs:cpu"]

let folder = ""
/** Of the graph that lasts, from a run that nothing disturbed. */
let expected = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-resume-"))
  expect((await here(["run", lasting, "--out", join(folder, "alone"), ...eager, "--quiet"])).code).toBe(0)
  expected = await digestsIn(await runIn("alone"))
})
afterAll(() => rm(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly err: string
  readonly seconds: number
}

/**
 * The command in a process of its own: what loads tests changes the text of stages, and so their keys. `killAfter` are seconds; `hear` is
 * given what stands on its stderr.
 */
const millrace = (
  args: ReadonlyArray<string>,
  {
    killAfter,
    hear,
  }: { killAfter?: number; hear?: (err: string, kill: (signal: NodeJS.Signals) => void) => void } = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const env = { ...process.env, NO_COLOR: "1", MILLRACE_CHECKPOINT_SECONDS: "0" }
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] })
    const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), 1000 * killAfter)
    let err = ""
    child.stderr.on("data", (text) => {
      err += text
      hear?.(err, (signal) => child.kill(signal))
    })
    child.on("error", reject)
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve({ code, err, seconds: (performance.now() - start) / 1000 })
    })
  })

/** The one run folder below a root that can be gone on with, if it is there yet. */
const runIn = async (root: string): Promise<string | undefined> => {
  const names = existsSync(join(folder, root)) ? await readdir(join(folder, root)) : []
  return names
    .filter((name) => !name.startsWith("."))
    .map((name) => join(root, name))
    .find((path) => existsSync(join(folder, path, "graph.json")))
}

const digestsIn = async (path: string | undefined): Promise<string> =>
  readFile(join(folder, path ?? "none", "digests.json"), "utf8")

test("SIGTERM ends the step, saves a checkpoint and exits with 75, Ctrl-C with 130; resume goes on to the same digests", async () => {
  let asked = false
  const stopped = await millrace(["run", lasting, "--out", "stopped", ...eager], {
    hear: (err, kill) => {
      if (asked || !err.includes("step ")) return
      asked = true
      kill("SIGTERM")
    },
  })
  const path = (await runIn("stopped"))!
  expect(stopped.err).toContain(`go on with  millrace resume ${path}`)
  expect(stopped.code).toBe(75)
  const [checkpoint] = (await readdir(join(folder, path, "checkpoints", "last"))).reverse()
  expect(Number(checkpoint)).toBeGreaterThan(0)
  expect(Number(checkpoint)).toBeLessThan(40)
  let again = false
  const interrupted = await millrace(["resume", path], {
    hear: (err, kill) => {
      if (again || !err.includes("goes on from")) return
      again = true
      kill("SIGINT")
    },
  })
  expect(interrupted.err).toContain(`goes on from the checkpoint after step ${Number(checkpoint)}`)
  expect(interrupted.code).toBe(130)
  // A line that a killed process left in part.
  const events = join(folder, path, "events.jsonl")
  await writeFile(events, `${await readFile(events, "utf8")}{"type":"stage.st`)
  const resumed = await millrace(["resume", path])
  expect(resumed.err).toContain("goes on from the checkpoint")
  expect(resumed.code).toBe(0)
  expect(await digestsIn(path)).toBe(expected)
  const lines = (await readFile(events, "utf8")).trimEnd().split("\n")
  const told = decodeEvents(lines.join("\n"))
  expect(told).toHaveLength(lines.length)
  expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, i) => i))
  expect(told.filter(({ type }) => type === "run.resumed")).toHaveLength(2)
  expect(told.every(({ secondsSinceStart }, i) => i === 0 || secondsSinceStart >= told[i - 1]!.secondsSinceStart)).toBe(
    true,
  )
  const story = storyOf(told)
  expect(story.status).toBe("done")
  expect(story.stages.get("last")?.points.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  expect(existsSync(join(folder, path, "checkpoints", "last"))).toBe(false)
})

test("what is no run, is at work, or is of a graph that was changed since is told in plain words", async () => {
  const nothing = await here(["resume", join(folder, "nothing")])
  expect([nothing.code, nothing.out]).toEqual([2, ""])
  expect(nothing.err).toMatch(/nothing at this path/)
  await here(["run", lasting, "--set", "last.steps=1", "--out", join(folder, "words"), ...eager, "--quiet"])
  const path = join(folder, (await runIn("words"))!)
  const json = JSON.parse(await readFile(join(path, "run.json"), "utf8"))
  await writeFile(join(path, "run.json"), JSON.stringify({ ...json, origin: { ...json.origin, set: [] } }))
  const changed = await here(["resume", path])
  expect([changed.code, changed.out]).toEqual([3, ""])
  expect(changed.err).toMatch(/the run's own graph/)
  const start = (await readFile(`/proc/${process.pid}/stat`, "utf8").catch(() => "")).split(") ").pop()?.split(" ")[19]
  await writeFile(join(path, `running-${process.pid}-${start ?? 0}-9999`), "")
  const busy = await here(["resume", path])
  expect([busy.code, busy.out]).toEqual([1, ""])
  expect(busy.err).toContain(`process ${process.pid}`)
})

test("a run that is killed between two steps goes on from the checkpoint after the first of them", async () => {
  const killed = await millrace(["run", lasting, "--out", "killed", ...eager], {
    hear: (err, kill) => {
      if (err.includes("step ")) kill("SIGKILL")
    },
  })
  expect(killed.code).toBe(null)
  const path = (await runIn("killed"))!
  const resumed = await millrace(["resume", path])
  expect(resumed.err).not.toContain("start  started")
  expect(resumed.err).toMatch(/goes on from the checkpoint after step \d+/)
  expect(resumed.code).toBe(0)
  expect(await digestsIn(path)).toBe(expected)
})

if (long)
  test.each(["instructgpt", "clip", "dalle", "dalle2"])(
    "runs of %s that are killed at any moment, and resumed each time, end with the digests of one that was not",
    async (name) => {
      const what = [name, "--preset", "tiny"]
      const undisturbed = `${name}-undisturbed`
      const first = await millrace(["run", ...what, "--out", undisturbed, "--quiet"])
      expect(first.code).toBe(0)
      // The first one may have met a busy machine: a moment after the end of a run kills nothing.
      let whole = first.seconds
      const expected = await digestsIn(await runIn(undisturbed))
      const key = keyFromSeed(Number(process.env.MILLRACE_KILLS_SEED ?? 1))
      let killed = 0
      let tries = 0
      for (let run = 0; killed < kills; run++) {
        const root = `${name}-killed-${run}`
        for (let ended = false; !ended; ) {
          const path = await runIn(root)
          const args = path === undefined ? ["run", ...what, "--out", root, "--quiet"] : ["resume", path, "--quiet"]
          const last = killed >= kills
          const moment = random.uniform(split(key, tries++), [1]).data[0]!
          const { code, err, seconds } = await millrace(args, last ? {} : { killAfter: whole * moment })
          if (code === null) killed++
          else if (path === undefined) whole = Math.min(whole, seconds)
          if (code !== null) expect([code, err], `after ${killed} kills`).toEqual([0, ""])
          ended = code === 0
        }
        const path = await runIn(root)
        expect(await digestsIn(path), `run ${run}, after ${killed} kills`).toBe(expected)
        const left = await readdir(join(folder, path!), { recursive: true })
        expect(left.filter((name) => /\.part-|running-|checkpoints\/./.test(name))).toEqual([])
      }
      expect(killed).toBe(kills)
    },
  )
