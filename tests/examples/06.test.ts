import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { main } from "@millrace/examples/06-clip-reward"
import { expect, test } from "vitest"
import { patchesStage } from "../pipelines/patches.js"

test("PPO raises CLIP's score of the same captions with the same random numbers, image by image, beyond its interval", async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-example-"))
  try {
    const lines: Array<string> = []
    await main((line) => lines.push(line), root, patchesStage({ size: 16 }))
    expect(lines.map((line) => line.split(":")[0])).toEqual(["before", "after", "rise"])
    expect(Number(/95 % (-?[\d.]+) to/.exec(lines[2]!)?.[1])).toBeGreaterThan(0)
  } finally {
    await rm(root, { recursive: true })
  }
}, 60_000)
