import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join, relative } from "node:path"
import { BadData, cacheFolder } from "@millrace/core"
import { npmFiles } from "@millrace/examples/data/npmFiles"
import { type NpmTarball, npmTarball } from "@millrace/examples/data/npmTarball"
import { Effect, Fiber } from "effect"
import { afterEach, describe, expect, test } from "vitest"
import { stageRunner } from "../pipelines/onStage.js"
import { type Entry, freshCache, integrityOf, tgz } from "./tarball.js"

const run = stageRunner()
const { cache, drop } = freshCache()

const path = process.env.PATH
afterEach(() => {
  process.env.PATH = path
})

const entries: ReadonlyArray<Entry> = [
  { name: "package/list.json", content: "[1]" },
  { name: "package/img/a.png", content: "A" },
  { name: "package/img/deep/b.png", content: "B" },
  { name: "package/other.txt", content: "not wanted" },
]
const tarball = tgz(entries)
const pinned: NpmTarball = {
  name: "some-data",
  version: "1.2.3",
  integrity: integrityOf(tarball),
  files: ["list.json", "img/"],
  megabytes: 1,
}

/** A program called npm that does as told; the tests' own stand-in for the real one. */
const fakeNpm = (script: string): void => {
  const bin = join(cache(), "..", `bin-${cache().split("-").at(-1)}`)
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, "npm"), 0o755)
  process.env.PATH = `${bin}${delimiter}${path}`
}

const noNpm = (): void => fakeNpm("echo no network >&2; exit 1")
const refusal = (work: NpmTarball): Promise<BadData> =>
  run(Effect.flip(npmTarball(work))).then(({ result }) => {
    expect(result).toBeInstanceOf(BadData)
    return result
  })
/** What is in the cache beside dropped tarballs. */
const kept = (): ReadonlyArray<string> => readdirSync(cache()).filter((name) => !name.endsWith(".tgz"))

describe("a package of data", () => {
  test("is unpacked once, the wanted files alone, and needs neither npm nor tarball after that", async () => {
    noNpm()
    drop("some-data-1.2.3.tgz", tarball)
    const { result: folder, events } = await run(npmTarball(pinned))
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.map(({ name }) => name).sort()).toEqual(["a.png", "b.png", "list.json"])
    expect(readFileSync(join(folder, "img/deep/b.png"), "utf8")).toBe("B")
    expect(events).toEqual([])
    rmSync(join(cache(), "some-data-1.2.3.tgz"))
    expect((await run(npmTarball(pinned))).result).toBe(folder)
    expect(kept().length).toBe(1)
  })

  test("has its files to publish once a run has fetched it, and none before", async () => {
    const none = await Effect.runPromise(Effect.flip(npmFiles(pinned)))
    expect(none).toMatchObject({
      _tag: "BadData",
      where: "some-data@1.2.3",
      fix: expect.stringContaining("run the graph"),
    })
    drop("some-data-1.2.3.tgz", tarball)
    const { result: folder } = await run(npmTarball(pinned))
    const files = await Effect.runPromise(npmFiles(pinned))
    expect(Object.keys(files)).toEqual(["img/a.png", "img/deep/b.png", "list.json"])
    expect(new TextDecoder().decode(files["img/deep/b.png"])).toBe("B")
    expect(Object.keys(await Effect.runPromise(npmFiles(pinned, ["img/a.png"])))).toEqual(["img/a.png"])
    rmSync(join(folder, "list.json"))
    expect(await Effect.runPromise(Effect.flip(npmFiles(pinned)))).toMatchObject({ _tag: "BadData", where: folder })
  })

  test.skipIf(process.platform === "win32")(
    "is fetched by npm, which is told what and where, and the user is told",
    async () => {
      const source = join(cache(), "source.bin")
      writeFileSync(source, tarball)
      fakeNpm(
        `[ "$1 $2 $3 $4 $5" = "pack some-data@1.2.3 --silent --ignore-scripts --pack-destination" ] && cp ${source} "$6/x.tgz"`,
      )
      const { result: folder, events } = await run(npmTarball(pinned))
      expect(readFileSync(join(folder, "list.json"), "utf8")).toBe("[1]")
      expect(events.map((event) => (event.type === "stage.note" ? event.text : ""))).toEqual([
        `fetching some-data@1.2.3, 1 MB, once, into ${cache()}`,
      ])
      expect(existsSync(join(folder, "../x.tgz"))).toBe(false)
    },
  )

  test("that cannot be fetched says where a tarball may be put, and leaves nothing", async () => {
    noNpm()
    const error = await refusal(pinned)
    expect(error.where).toBe("some-data@1.2.3")
    expect(error.received).toContain("no network")
    expect(error.fix).toContain(join(cache(), "some-data-1.2.3.tgz"))
    expect(kept()).toEqual([])
    process.env.PATH = join(cache(), "nothing")
    expect((await refusal(pinned)).expected).toBe("npm to fetch the package")
  })

  test("that is not the one that was pinned is refused, whoever brought it", async () => {
    const other = tgz([...entries, { name: "package/img/c.png", content: "C" }])
    drop("some-data-1.2.3.tgz", other)
    const error = await refusal(pinned)
    expect(error.expected).toBe(pinned.integrity)
    expect(error.received).toContain(integrityOf(other))
    expect(kept()).toEqual([])
  })

  test("without a wanted file is refused, and so is one that is no archive", async () => {
    drop("some-data-1.2.3.tgz", tarball)
    expect((await refusal({ ...pinned, files: ["list.json", "sounds/"] })).expected).toBe("sounds/")
    const text = Buffer.from("no archive")
    drop("some-data-1.2.3.tgz", text)
    expect((await refusal({ ...pinned, integrity: integrityOf(text) })).expected).toBe("a package that can be unpacked")
    expect(kept()).toEqual([])
  })

  test("writes nothing outside its folder, whatever its entries are called, and makes no links", async () => {
    const evil: ReadonlyArray<Entry> = [
      { name: "package/img/../../../out.png", content: "X" },
      { name: "package/../img/out.png", content: "X" },
      { name: "../img/out.png", content: "X" },
      { name: "/img/out.png", content: "X" },
      { name: "package/img/..\\..\\out.png", content: "X" },
      { name: "package/img/c:out.png", content: "X" },
      { name: "package/img/link", type: 2, target: "/etc" },
      { name: "package/img/link/out.png", content: "X" },
      { name: "package/img/soft", type: 2, target: "a.png" },
      { name: "package/img/hard", type: 1, target: "../../list.json" },
      { name: "package/img/hard", type: 1, target: "package/img/a.png" },
    ]
    for (const entry of evil) {
      const bytes = tgz([...entries, entry])
      drop("some-data-1.2.3.tgz", bytes)
      await run(Effect.exit(npmTarball({ ...pinned, integrity: integrityOf(bytes) })))
      const all = readdirSync(cache(), { recursive: true, withFileTypes: true })
      expect(
        all.filter((found) => found.isSymbolicLink() || found.name === "hard" || found.name.startsWith("c:")),
      ).toEqual([])
      for (const { parentPath } of all.filter(({ name }) => name.includes("out.png"))) {
        expect(relative(cache(), parentPath)).toMatch(/^some-data-1\.2\.3-\w+[\\/]img/)
      }
      expect(existsSync(join(cache(), "../out.png"))).toBe(false)
    }
  })

  test.skipIf(process.platform === "win32")(
    "interrupted while npm fetches it leaves nothing half, and stops npm",
    async () => {
      fakeNpm(
        `echo $$ > ${join(cache(), "started")}.new; mv ${join(cache(), "started")}.new ${join(cache(), "started")}; exec sleep 60`,
      )
      await run(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(npmTarball(pinned))
          while (!existsSync(join(cache(), "started"))) yield* Effect.sleep(20)
          yield* Fiber.interrupt(fiber)
        }),
      )
      const npm = Number(readFileSync(join(cache(), "started"), "utf8"))
      const runs = (): boolean => {
        try {
          return process.kill(npm, 0)
        } catch {
          return false
        }
      }
      const until = performance.now() + 5000
      while (runs() && performance.now() < until) await new Promise((done) => setTimeout(done, 20))
      const left = runs()
      if (left) process.kill(npm)
      expect(left).toBe(false)
      expect(kept()).toEqual(["started"])
    },
  )

  test("asked for twice at once is unpacked whole, and both get the one folder", async () => {
    drop("some-data-1.2.3.tgz", tarball)
    const { result } = await run(Effect.all([npmTarball(pinned), npmTarball(pinned)], { concurrency: 2 }))
    expect(result[0]).toBe(result[1])
    expect(kept().length).toBe(1)
  })
})

test("the cache is where MILLRACE_CACHE says, else in the system's folder for caches", () => {
  expect(cacheFolder({ MILLRACE_CACHE: "/a/b" })).toBe("/a/b")
  const name = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME"
  expect(cacheFolder({ [name]: join("/", "caches") })).toBe(join("/", "caches", "millrace"))
  expect(cacheFolder({})).toBe(join(homedir(), ".cache", "millrace"))
})
