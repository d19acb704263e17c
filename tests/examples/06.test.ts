import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { main } from "@millrace/examples/06-clip-reward"
import { expect, test } from "vitest"
import { patchesStage } from "../pipelines/patches.js"

test("PPO raises CLIP's score of the same captions with the same random numbers beyond both intervals", async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-example-"))
  try {
    const lines: Array<string> = []
    await main((line) => lines.push(line), root, patchesStage({ size: 16 }))
    const ranges = lines.map((line) => /95 % (-?[\d.]+) to (-?[\d.]+)$/.exec(line)!.slice(1).map(Number))
    expect(ranges).toHaveLength(2)
    const [[, highBefore], [lowAfter]] = ranges as [[number, number], [number, number]]
    expect(lowAfter).toBeGreaterThan(highBefore)
  } finally {
    await rm(root, { recursive: true })
  }
}, 60_000)
