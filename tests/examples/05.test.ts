import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { main } from "@millrace/examples/05-swap-the-reranker"
import { expect, test } from "vitest"
import { patchesStage } from "../pipelines/patches.js"

test("with the prior's own likelihood as the reranker the best of four is likelier than one alone, and every other node stays", async () => {
  const root = await mkdtemp(join(tmpdir(), "millrace-example-"))
  try {
    const lines: Array<string> = []
    await main((line) => lines.push(line), root, patchesStage({ size: 16 }))
    expect(lines[0]).toContain("rerank (example.by-likelihood)")
    expect(lines[0]).toContain("clip (clip.train)")
    const groups = lines.flatMap((line, i) => (line.startsWith("The best of n") ? [lines.slice(i + 1, i + 4)] : []))
    expect(groups).toHaveLength(2)
    for (const group of groups) {
      const told = group.map((line) =>
        /score, prior, nat (-[\d.]+) {3}share all right by the judge ([\d.]+)$/.exec(line),
      )
      const scores = told.map((found) => Number(found?.[1]))
      expect(scores).toHaveLength(3)
      expect(scores[2]).toBeGreaterThan(scores[0]!)
      for (const found of told) expect(Number(found?.[2])).toBeLessThanOrEqual(1)
    }
  } finally {
    await rm(root, { recursive: true })
  }
})
