import { mkdtempSync, rmSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  artifact,
  artifactKind,
  defineStageNode,
  graph,
  keyFromSeed,
  noCheckpoints,
  recordRun,
  Stage,
  sha256,
} from "@millrace/core"
import { type ImageGrid, showImages } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { decode } from "fast-png"
import { afterAll, beforeAll, expect, test } from "vitest"
import { noEngine } from "../core/run/stages.js"

let root = ""
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "millrace-images-"))
})
afterAll(() => rmSync(root, { recursive: true }))

const number = artifact(
  artifactKind("number", (value: number) => ({ "value.txt": new TextEncoder().encode(`${value}`) })),
)

const painter = (grids: ReadonlyArray<ImageGrid>) =>
  graph("paint", {})
    .node(
      "painter",
      defineStageNode({
        type: "test.painter",
        version: 1,
        config: Schema.Struct({}),
        ports: { in: {}, out: number },
        run: () => Effect.as(Effect.forEach(grids, showImages), 1),
      })({}),
      {},
    )
    .output("painter")

const record = (grids: ReadonlyArray<ImageGrid>) =>
  Effect.runPromise(recordRun(painter(grids), { root, seed: 1 }).pipe(noEngine))

const tile = (value: number, text?: string) => ({
  pixels: Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => value + i),
  ...(text !== undefined && { text }),
})

const three = (step?: number): ImageGrid => ({
  title: "Samples: a/b",
  size: [2, 3],
  columns: 2,
  tiles: [tile(0, "a dog"), tile(50), tile(100)],
  ...(step !== undefined && { step }),
})

test("a grid is one PNG under images/, with every tile at its place and white where there is none", async () => {
  const { folder, story } = await record([three()])
  const [shown] = story.stages.get("painter")?.images.get("Samples: a/b")?.grids ?? []
  expect(shown?.grid.file).toBe("images/painter/Samples%3A a%2Fb/grid.png")
  const { width, height, data } = decode(await readFile(join(folder.path, shown!.grid.file)))
  expect([width, height]).toEqual([6, 4])
  const at = (y: number, x: number) => [...data.slice((y * 6 + x) * 3, (y * 6 + x) * 3 + 3)]
  expect(at(1, 2)).toEqual([15, 16, 17])
  expect(at(0, 3)).toEqual([50, 51, 52])
  expect(at(3, 0)).toEqual([109, 110, 111])
  expect(at(2, 3)).toEqual([255, 255, 255])
})

test("the report has the bytes of the files, the summary their names", async () => {
  const { folder } = await record([three(0), three(500), three(1000)])
  const report = await readFile(join(folder.path, "report.html"), "utf8")
  for (const step of ["000000", "000500", "001000"]) {
    const bytes = await readFile(join(folder.path, "images/painter/Samples%3A a%2Fb", `${step}.png`))
    expect(report).toContain(bytes.toString("base64"))
  }
  expect(await readFile(join(folder.path, "SUMMARY.txt"), "utf8")).toContain(
    "Images of painter\n  Samples: a/b: images/painter/Samples%3A a%2Fb/001000.png (the last of 3)",
  )
})

test("what is shown changes no digest", async () => {
  const [with_, without] = [await record([three(1), three(2)]), await record([])]
  expect(with_.digests).toEqual(without.digests)
  expect(await readFile(join(with_.folder.path, "digests.json"))).toEqual(
    await readFile(join(without.folder.path, "digests.json")),
  )
})

test("equal grids give equal bytes", async () => {
  const bytes = await Promise.all(
    [1, 2].map(async () => {
      const { folder } = await record([three()])
      return sha256(await readFile(join(folder.path, "images/painter/Samples%3A a%2Fb/grid.png")))
    }),
  )
  expect(bytes[0]).toBe(bytes[1])
})

test.each<readonly [string, ImageGrid]>([
  ["tile 1 of 5 bytes", { ...three(), tiles: [tile(0), { pixels: new Uint8Array(5) }] }],
  ["0 columns", { ...three(), columns: 0 }],
  ["no tiles", { ...three(), tiles: [] }],
  ['2 numbers of "a dog" for 3 tiles', { ...three(), numbers: [{ name: "a dog", values: [1, 2] }] }],
])("a grid that cannot be is refused, and told: %s", async (message, grid) => {
  const run = Effect.scoped(showImages(grid)).pipe(
    Effect.provideService(
      Stage,
      Stage.of({
        name: "s",
        key: keyFromSeed(0),
        emit: () => Effect.void,
        keep: () => Effect.void,
        checkpoints: noCheckpoints,
        stopping: Effect.succeed(false),
      }),
    ),
  )
  await expect(Effect.runPromise(run)).rejects.toThrow(message)
})
