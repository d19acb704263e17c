import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { adamW } from "@millrace/core"
import { main, rewarded } from "@millrace/examples/06-clip-reward"
import { type CodePpoConfig, dallePresets } from "@millrace/pipelines"
import { expect, test } from "vitest"
import { patchesStage } from "../pipelines/patches.js"

const update: CodePpoConfig = {
  iterations: 1,
  episodes: 8,
  minibatch: 8,
  epochs: 1,
  schedule: { kind: "constant", peak: 1e-3, warmup: 0, floor: 1 },
  optimizer: adamW,
  clip: 1,
  valueRate: 1,
  rewardScale: 1,
  beta: 0,
  lambda: 0.95,
  ratioClip: 0.2,
  valueClip: 0.2,
  valueCoefficient: 0.1,
  captions: 4,
  shown: 4,
}

test("the whole graph runs at the smallest size, and says CLIP's score before PPO, after it, and their difference", async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-example-"))
  try {
    const lines: Array<string> = []
    await main((line) => lines.push(line), root, rewarded(patchesStage({ size: 16 }), dallePresets.tiny, update))
    const cosines = lines.map((line) => Number(/^(?:before|after|rise): cosine (-?[\d.]+), 95 %/.exec(line)?.[1]))
    expect(cosines).toHaveLength(3)
    const [before, after, rise] = cosines
    expect(Math.abs(before!)).toBeLessThanOrEqual(1)
    expect(rise).toBeCloseTo(after! - before!, 3)
  } finally {
    await rm(root, { recursive: true })
  }
})
