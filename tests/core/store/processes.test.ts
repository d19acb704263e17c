import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { sha256, storeIn } from "@millrace/core"
import { expect, test } from "vitest"

const script = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "dist", "fixtures", "manyRuns.js")
const long = process.env.MILLRACE_LONG !== undefined
const [processes, runs] = long ? [8, 20] : [3, 4]

test("processes that use one store at once all get right results, and leave no object that is not what its name says", async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-processes-"))
  try {
    const ended = await Promise.all(
      Array.from({ length: processes }, () => promisify(execFile)(process.execPath, [script, root, `${runs}`])),
    )
    const expected = Array.from({ length: runs }, (_, i) => 2 + (i % 4))
    for (const { stdout } of ended) expect(JSON.parse(stdout)).toEqual(expected)
    const objects = join(storeIn(root), "objects")
    const files = (await readdir(objects, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
    expect(files.length).toBeGreaterThan(8)
    for (const { name, parentPath } of files) {
      expect(sha256(await readFile(join(parentPath, name)))).toBe(basename(parentPath) + name)
    }
    expect(await readdir(storeIn(root))).not.toContain("damaged")
    const folders = (await readdir(root)).filter((name) => !name.startsWith("."))
    expect(folders).toHaveLength(processes * runs)
  } finally {
    await rm(root, { recursive: true })
  }
})
