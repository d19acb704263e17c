import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { main, ruled } from "@millrace/examples/04-swap-a-node"
import { instructgptPresets } from "@millrace/pipelines"
import { expect, test } from "vitest"

test("with a rule in place of the reward model every other node stays, and PPO raises the rule's own score", async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-example-"))
  try {
    const lines: Array<string> = []
    await main((line) => lines.push(line), root)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain("reward (example.short-words)")
    expect(lines[0]).toContain("ppo (instructgpt.ppo)")
    expect(ruled.nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(instructgptPresets.tiny)))
    const [, first, last] = /first rollout (-?[\d.]+), of the last (-?[\d.]+)$/.exec(lines[1]!) ?? []
    expect(Number(last)).toBeGreaterThan(Number(first) + 1)
    expect(await readdir(root)).toHaveLength(1)
  } finally {
    await rm(root, { recursive: true })
  }
})
