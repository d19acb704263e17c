import { spawn } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, test } from "vitest"

const require = createRequire(import.meta.url)
const bin = join(dirname(require.resolve("@millrace/pipelines/package.json")), "bin", "millrace.js")
const graphs = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-crates-"))
})
afterAll(() => rm(folder, { recursive: true }))

const millrace = (args: ReadonlyArray<string>, variables: Readonly<Record<string, string>> = {}) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: "1", ...variables }
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env })
    let [out, err] = ["", ""]
    child.stdout.on("data", (text) => {
      out += text
    })
    child.stderr.on("data", (text) => {
      err += text
    })
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, out, err }))
  })

/** Runs a graph and publishes the run: the path of the crate. */
const published = async (name: string, variables: Readonly<Record<string, string>> = {}): Promise<string> => {
  const module = join(graphs, `${name}.js`)
  const ran = await millrace(["run", module, "--out", name, "--engine", "tfjs:cpu", "--quiet"], variables)
  expect(ran).toMatchObject({ code: 0 })
  const [run = ""] = (await readdir(join(folder, name))).filter((entry) => !entry.startsWith("."))
  const crate = `${name}.crate.zip`
  const told = await millrace(["publish", run, "--out", name, "--to", crate, "--module", module, "--json"])
  expect(told).toMatchObject({ code: 0, err: "" })
  expect(JSON.parse(told.out)).toMatchObject({ crate, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
  // Nothing but the crate is left: what follows starts from it alone.
  await rm(join(folder, name), { recursive: true })
  return crate
}

const ofModule = (name: string) => ["--module", join(graphs, `${name}.js`)]

test("what is published is verified and reproduced from the crate alone; with a byte changed it is refused with 3", async () => {
  const crate = await published("counting")
  const verified = await millrace(["verify", crate, ...ofModule("counting")])
  expect(verified).toMatchObject({ code: 0, out: expect.stringContaining("is whole") })
  const again = await millrace(["reproduce", crate, ...ofModule("counting"), "--json"])
  expect(again.code).toBe(0)
  expect(JSON.parse(again.out)).toMatchObject({
    exact: true,
    reproduced: true,
    stages: [
      { stage: "first", port: "out", same: true },
      { stage: "total", port: "out", same: true },
    ],
  })

  const bytes = await readFile(join(folder, crate))
  const place = bytes.indexOf("42\n")
  bytes[place] = bytes[place]! ^ 1
  await writeFile(join(folder, "changed.zip"), bytes)
  const refused = await millrace(["reproduce", "changed.zip", ...ofModule("counting")])
  expect(refused).toMatchObject({ code: 3, out: "" })
  expect(refused.err).toContain("BadData in artifacts/total/out/weights.txt")

  const unknown = await millrace(["verify", crate])
  expect(unknown).toMatchObject({ code: 3, err: expect.stringMatching(/UnknownNode in counting[\s\S]*--module/) })
})

test("a run that does not give the published digests ends with 4, tells which, and is kept to look at", async () => {
  const crate = await published("wandering", { WANDERING: "1" })
  const args = ["reproduce", crate, ...ofModule("wandering"), "--quiet", "--keep", "kept"]
  const { code, out, err } = await millrace(args, { WANDERING: "2" })
  expect(code).toBe(4)
  expect(out).toMatch(/outside +out +\w{12} +\w{12} +no/)
  expect(out).toMatch(/outside +value +1 +2 +0/)
  expect(err).toContain("the published digests")
  expect(await readdir(join(folder, "kept", "crate"))).toContain("ro-crate-metadata.json")
  expect(await millrace(args, { WANDERING: "1" })).toMatchObject({ code: 2, err: expect.stringContaining("--keep") })
})

test("a run or crate that is not there is a mistake of the command, and a file that is no crate is refused", async () => {
  expect(await millrace(["publish", "nothing"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("expected  a run"),
  })
  expect(await millrace(["verify", "nothing.zip"])).toMatchObject({ code: 2, err: expect.stringContaining("no file") })
  await writeFile(join(folder, "text.zip"), "no archive")
  expect(await millrace(["verify", "text.zip"])).toMatchObject({ code: 3, err: expect.stringContaining("zip archive") })
})

const long = process.env.MILLRACE_LONG === undefined ? [] : ["instructgpt", "clip", "dalle", "dalle2"]

test.for(long)("%s is published, verified and reproduced from an empty folder", async (name) => {
  expect(await millrace(["run", name, "--preset", "tiny", "--out", name, "--quiet"])).toMatchObject({ code: 0 })
  const [run = ""] = (await readdir(join(folder, name))).filter((entry) => !entry.startsWith("."))
  for (const out of ["first.zip", "second.zip"]) {
    expect(await millrace(["publish", run, "--out", name, "--to", out])).toMatchObject({ code: 0 })
  }
  expect(await readFile(join(folder, "second.zip"))).toEqual(await readFile(join(folder, "first.zip")))
  await rm(join(folder, name), { recursive: true })
  expect(await millrace(["verify", "first.zip"])).toMatchObject({ code: 0 })
  expect(await millrace(["reproduce", "first.zip", "--quiet"])).toMatchObject({ code: 0 })
})
