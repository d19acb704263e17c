import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeEvents } from "@millrace/core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { here } from "./here.js"

const require = createRequire(import.meta.url)
const bin = join(dirname(require.resolve("@millrace/pipelines/package.json")), "bin", "millrace.js")
const graphs = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs")
const counting = join(graphs, "counting.js")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-cli-"))
})
afterAll(() => rm(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Starts the command; `hear` is given the process whenever something new stands on its stderr. */
const millrace = (
  args: ReadonlyArray<string>,
  hear: (child: { pid: number; kill: (signal: NodeJS.Signals) => void }, err: string) => void = () => undefined,
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: "1" }
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env })
    let out = ""
    let err = ""
    child.stdout.on("data", (text) => {
      out += text
    })
    child.stderr.on("data", (text) => {
      err += text
      hear({ pid: child.pid!, kill: (signal) => child.kill(signal) }, err)
    })
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, out, err }))
  })

/** Without an engine's own process: most tests need none. */
const eager = ["--engine", "tfjs:cpu"]

const only = async (root: string): Promise<string> => {
  const names = (await readdir(join(folder, root))).filter((name) => !name.startsWith("."))
  expect(names).toHaveLength(1)
  return join(folder, root, names[0]!)
}

const childrenOf = (parent: number): ReadonlyArray<number> =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (ppid === parent && pid !== undefined ? [pid] : []))

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe("millrace run", () => {
  test("prints its tables to stdout and everything else to stderr", async () => {
    const { code, out, err } = await millrace(["run", counting, "--seed", "7", "--out", "done", ...eager])
    expect(err).toContain("✓ total")
    expect(out).toMatchInlineSnapshot(`
      "Count
        what  value
        ────  ─────
        sum      42
      "
    `)
    expect(code).toBe(0)
    const path = await only("done")
    expect(err).toContain(join(path, "report.html"))
    expect(await readFile(join(path, "artifacts", "total", "out", "weights.txt"), "utf8")).toBe("42\n")
    expect(await readFile(join(path, "report.html"), "utf8")).toContain("--seed 7")
  })

  test("--json prints one document, --quiet nothing else, and --set reaches the node", async () => {
    const given = [
      "--set",
      "first.from=1",
      "--set",
      "total.steps=3",
      "--json",
      "--quiet",
      "--out",
      join(folder, "json"),
    ]
    const { code, out, err } = await here(["run", counting, ...given, ...eager])
    expect([code, err]).toEqual([0, ""])
    const told = JSON.parse(out)
    expect(told).toMatchObject({ status: "done", tables: [{ stage: "total", title: "Count", rows: [["sum", 4]] }] })
    expect(JSON.parse(await readFile(join(told.folder, "digests.json"), "utf8"))).toEqual(told.digests)
  })

  test("a failing stage exits with 1, says where and why in a few lines, and where things are kept", async () => {
    const { code, out, err } = await millrace(["run", counting, "--set", "total.end=fail", "--out", "failed", ...eager])
    const path = await only("failed")
    expect([code, out]).toEqual([1, ""])
    expect(err).toContain("NodeFailed in counting > total")
    expect(err).toContain("received  the counter broke")
    expect(err).toContain(`kept in ${path}`)
    expect(err).not.toMatch(/\n\s+at /)
    expect(await readFile(join(path, "artifacts", "first", "out", "weights.txt"), "utf8")).toBe("40\n")
    expect(await readFile(join(path, "artifacts", "total", "halfway", "weights.txt"), "utf8")).toBe("half\n")
  })

  test("--debug shows the stack of what failed", async () => {
    const { err } = await here([
      "run",
      counting,
      "--debug",
      "--set",
      "total.end=fail",
      "--out",
      join(folder, "debug"),
      ...eager,
    ])
    expect(err).toMatch(/Error: the counter broke\n\s+at /)
  })

  test("the first Ctrl-C stops the run, keeps what was made, ends the engine's process, and exits with 130", async () => {
    let children: ReadonlyArray<number> = []
    const args = ["run", counting, "--set", "total.end=never", "--out", "stopped", "--engine", "onnx"]
    const { code, err } = await millrace(args, (child, told) => {
      if (!told.includes("counted") || children.length > 0) return
      children = childrenOf(child.pid)
      child.kill("SIGINT")
    })
    const path = await only("stopped")
    expect(code).toBe(130)
    expect(err).toContain(`stopped; what was made is kept in ${path}`)
    expect(children.length).toBeGreaterThan(0)
    await expect.poll(() => children.filter(isAlive), { timeout: 10_000 }).toEqual([])
    expect(await readFile(join(path, "artifacts", "first", "out", "weights.txt"), "utf8")).toBe("40\n")
    const events = decodeEvents(await readFile(join(path, "events.jsonl"), "utf8"))
    expect(events.at(-1)).toMatchObject({ type: "run.ended", status: "stopped" })
    expect(await readFile(join(path, "SUMMARY.txt"), "utf8")).toContain("stopped")
    expect(existsSync(join(path, "report.html"))).toBe(true)
  })

  test("a request to terminate does the same, and exits with 75, which says that the run can go on", async () => {
    let asked = false
    const args = ["run", counting, "--set", "total.end=never", "--out", "terminated", ...eager]
    const { code, err } = await millrace(args, (child, told) => {
      if (!told.includes("counted") || asked) return
      asked = true
      child.kill("SIGTERM")
    })
    expect(code).toBe(75)
    const path = await only("terminated")
    expect(err).toContain(`go on with  millrace resume ${path.slice(folder.length + 1)}`)
    expect(await readFile(join(path, "SUMMARY.txt"), "utf8")).toContain("stopped")
  })
})

describe("what is written wrongly exits with", () => {
  const existedBefore = existsSync(".runs")

  test.each([
    ["2, an unknown command", ["rnu"], 2, /Did you mean[\s\S]*run/],
    ["2, an unknown option", ["run", counting, "--sede", "1"], 2, /--sede[\s\S]*--seed/],
    ["2, an unknown engine", ["run", counting, "--engine", "cuda"], 2, /Expected: "onnx"/],
    ["2, no graph", ["run"], 2, /graph/],
    ["2, an unknown name", ["run", "instructgtp"], 2, /did you mean "instructgpt"/],
    ["2, a path where nothing is", ["run", "./nothing.js"], 2, /which is no file/],
    ["2, TypeScript", ["run", join(graphs, "../../../fixtures/graphs/counting.ts")], 2, /compile it/],
    ["2, an unknown node", ["run", counting, "--set", "totl.steps=1"], 2, /did you mean "total"/],
    ["2, a mistyped key", ["run", counting, "--set", "total.stesp=1"], 2, /BadConfig[\s\S]*did you mean "steps"/],
    ["2, a value of another type", ["run", counting, "--set", "total.steps=many"], 2, /BadConfig[\s\S]*many/],
    ["2, a setting without a value", ["run", counting, "--set", "total.steps"], 2, /put = between/],
    ["3, a module without a graph", ["run", join(graphs, "none.js")], 3, /no default export/],
    ["3, a graph that is wrong", ["run", join(graphs, "miswired.js")], 3, /UnknownWire in miswired/],
  ] as const)("%s", async (_, args, expected, message) => {
    const { code, out, err } = await here(args)
    expect(err).toMatch(message)
    expect(err).not.toMatch(/\n\s+at /)
    expect([code, out]).toEqual([expected, ""])
    expect(existsSync(".runs")).toBe(existedBefore)
  })
})

describe("looking at a graph", () => {
  test("describe names every node, wire and setting", async () => {
    const { code, out } = await here(["describe", counting, "--set", "total.steps=9"])
    expect(code).toBe(0)
    expect(out).toMatch(/total +counting\.count@1 +first +artifact weights/)
    expect(out).toContain("total.steps=9")
    const { graph } = JSON.parse((await here(["describe", counting, "--set", "total.steps=9", "--json"])).out)
    expect(graph).toMatchObject({ name: "counting", level: "stage", outputs: { total: "total" } })
    expect(out).toContain(graph.hash.slice(0, 12))
    expect(graph.nodes[1]).toEqual({
      name: "total",
      node: "counting.count@1",
      frozen: false,
      wires: { first: "first" },
      gives: "artifact weights",
      config: { steps: 9, end: "done" },
    })
  })

  test("draw gives a picture, or mermaid text", async () => {
    const [svg, mermaid] = [await here(["draw", counting]), await here(["draw", counting, "--format", "mermaid"])]
    expect(svg.out).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
    expect(mermaid.out).toMatch(/^(?:---[\s\S]*?---\n)?(?:flowchart|graph) /)
  })

  test("engines tells of every engine", async () => {
    const { code, out } = await here(["engines"])
    expect(code).toBe(0)
    expect(out).toMatch(/tfjs:cpu +ready/)
    expect(out).toMatch(/onnx +(?:ready|missing)/)
    const { out: document } = await here(["engines", "--json"])
    expect(JSON.parse(document)).toContainEqual(expect.objectContaining({ engine: "tfjs:cpu", state: "ready" }))
  })

  test("--help goes to stdout and is no error", async () => {
    const { code, out, err } = await here(["run", "--help"])
    expect([code, err]).toEqual([0, ""])
    expect(out).toContain("--seed")
  })
})
