/** What `millrace publish` adds to a run: laws that it checks, and data where they are asked for. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeZip } from "@millrace/core/crate"
import { afterAll, beforeAll, expect, test } from "vitest"
import { here } from "./here.js"

const module = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs", "learning.js")

let folder = ""
const at = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-laws-"))
  const given = ["run", module, "--out", at("runs"), "--engine", "tfjs:cpu", "--quiet", "--seed", "11"]
  expect((await here(given)).code).toBe(0)
})
afterAll(() => rm(folder, { recursive: true }))

const publish = (to: string, ...more: ReadonlyArray<string>) =>
  here(["publish", "latest", "--out", at("runs"), "--to", at(to), "--module", module, "--no-programs", ...more])
const verify = (crate: string) => here(["verify", at(crate), "--module", module])

test("a crate has the laws of the nodes that its stages run, from the run's seed; with data it has what the stages read", async () => {
  expect(await publish("whole.zip", "--with-data")).toMatchObject({ code: 0, err: "" })
  const files = decodeZip(await readFile(at("whole.zip")))
  const checked = JSON.parse(new TextDecoder().decode(files["laws.json"]))
  expect(checked).toMatchObject({ graph: "learning", seed: 11, runs: 10 })
  expect(checked.laws.length).toBeGreaterThan(10)
  for (const { verdict, runs } of checked.laws) expect([verdict, runs]).toEqual(["holds", 10])
  expect(Object.keys(files)).toContain("data/corpus/out/files/words.txt")
  expect((await verify("whole.zip")).out).toMatch(/laws +\d+ hold; up to 10 examples of each, from seed 11/)
})

test("a longer check takes the place of the crate's own, if it is of the same graph; without laws and data it says so", async () => {
  const { out } = await here(["laws", module, "--runs", "2", "--node", "loss", "--json"])
  await writeFile(at("long.json"), out)
  expect((await publish("long.zip", "--laws", at("long.json"))).code).toBe(0)
  expect((await verify("long.zip")).out).toMatch(/laws +\d+ hold; up to 2 examples of each, from seed 0/)
  await writeFile(at("other.json"), out.replace(/"hash": "[^"]*/, `"hash": "${"0".repeat(64)}`))
  expect(await publish("other.zip", "--laws", at("other.json"))).toMatchObject({ code: 2, out: "" })

  expect((await publish("none.zip", "--no-laws")).code).toBe(0)
  expect((await verify("none.zip")).out).toMatch(/laws +none were checked/)
  const there = Object.keys(decodeZip(await readFile(at("none.zip"))))
  expect(there.filter((name) => name === "laws.json" || name.startsWith("data/corpus/out/files/"))).toEqual([])
  expect(await publish("nowhere.zip", "--no-laws", "--with-data=nowhere")).toMatchObject({
    code: 2,
    err: expect.stringContaining("nowhere, which is no folder"),
  })
})
