/** A list of 5,000 images, read in a process of its own. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { rgbPng } from "./png.js"

const COUNT = 5000
/** Files that the images are in; many lines may name one, which saves the writing of most. */
const FILES = process.env.MILLRACE_LONG === undefined ? 250 : COUNT
const SIZE = 128
/** At 128 × 128 an image has 49 kB: without a bound 3,500 more of them would take 172 MB more. */
const BOUND_MB = 60

const script = `
import { keyFromSeed, Stage, noCheckpoints } from "@millrace/core"
import { imageFolder } from "@millrace/pipelines"
import { Effect } from "effect"
const stage = Stage.of({ name: "s", key: keyFromSeed(1), emit: () => Effect.void, keep: () => Effect.void, checkpoints: noCheckpoints, stopping: Effect.succeed(false) })
const node = imageFolder({
  path: process.argv[1], size: ${SIZE}, background: [0, 0, 0], heldOut: 0.02, by: "image", bad: "fail", check: "structure",
})
const { train } = await Effect.runPromise(Effect.scoped(Effect.provideService(node.run({}), Stage, stage)))
const memory = async () => {
  // What a collection frees of buffers is counted as free after a turn of the loop.
  for (let i = 0; i < 3; i++) {
    gc()
    await new Promise((done) => setTimeout(done, 50))
  }
  const { rss, arrayBuffers } = process.memoryUsage()
  return { rss: rss / 1e6, arrayBuffers: arrayBuffers / 1e6 }
}
const readings = []
for (let at = 0; at < train.count; at += 100) {
  const indices = Array.from({ length: Math.min(100, train.count - at) }, (_, i) => at + i)
  const images = await Effect.runPromise(train.read(indices))
  if (images.some(({ pixels }) => pixels.length !== ${SIZE * SIZE * 3})) throw new Error("wrong size")
  if (at === 1400) readings.push(await memory())
}
readings.push(await memory())
console.log(JSON.stringify({ count: train.count, readings }))
`

test("reading 5,000 images takes no more memory than reading 1,500 of them", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-many-"))
  try {
    const images = Array.from({ length: 16 }, (_, i) => rgbPng(4, 4, () => [i, 255 - i, 7 * i]))
    const lines = Array.from({ length: COUNT }, (_, i) => {
      if (i < FILES) writeFileSync(join(folder, `${i}.png`), images[i % 16]!)
      return `{"file":"${i % FILES}.png","caption":"image ${i}"}\n`
    })
    writeFileSync(join(folder, "captions.jsonl"), lines.join(""))
    const out = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script, folder], {
      cwd: import.meta.dirname,
      encoding: "utf8",
    })
    const { count, readings } = JSON.parse(out) as {
      count: number
      readings: ReadonlyArray<{ rss: number; arrayBuffers: number }>
    }
    expect(count).toBeGreaterThan(4700)
    const [early, late] = readings as [(typeof readings)[0], (typeof readings)[0]]
    expect(late.arrayBuffers - early.arrayBuffers).toBeLessThan(BOUND_MB)
    expect(late.arrayBuffers).toBeLessThan(64 + BOUND_MB)
    expect(late.rss - early.rss).toBeLessThan(BOUND_MB)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
