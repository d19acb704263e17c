import { decodeGraph, encodeGraph, graphHash } from "@millrace/core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { here } from "./here.js"

const graphs = ["instructgpt", "clip", "dalle", "dalle2"] as const

interface GraphModule {
  readonly default: Parameters<typeof graphHash>[0]
  readonly presets: Readonly<Record<string, () => Parameters<typeof graphHash>[0]>>
  readonly registry: Parameters<typeof decodeGraph>[1]
}

describe.each(graphs)("the built-in graph %s", (name) => {
  test("is its preset small, and each preset is described without a run and comes back from its JSON", async () => {
    const module = (await import(`@millrace/examples/${name}`)) as GraphModule
    expect(graphHash(module.presets.small!())).toBe(graphHash(module.default))
    for (const [preset, make] of Object.entries(module.presets)) {
      const { code, out } = await here(["describe", name, "--preset", preset])
      const hash = graphHash(make())
      expect([code, out.includes(`hash ${hash.slice(0, 12)}`)]).toEqual([0, true])
      expect(graphHash(await Effect.runPromise(decodeGraph(encodeGraph(make()), module.registry)))).toBe(hash)
    }
  })
})

describe("--preset", () => {
  test("of another name exits with 2 and names the nearest", async () => {
    const { code, err } = await here(["describe", "dalle", "--preset", "smal"])
    expect(code).toBe(2)
    expect(err).toContain('did you mean "small"')
  })

  test("is part of what settings change", async () => {
    const plain = await here(["describe", "clip", "--preset", "tiny"])
    const changed = await here(["describe", "clip", "--preset", "tiny", "--set", "train.batch=64"])
    expect(plain.out).toMatch(/train\.batch=32$/m)
    expect(changed.out).toMatch(/train\.batch=64$/m)
  })

  test("of a model that is a graph as well means the graph, --size the model, and neither both", async () => {
    const graph = await here(["describe", "clip", "--preset", "small"])
    const model = await here(["describe", "clip", "--size", "ViT-B/32"])
    const both = await here(["describe", "clip"])
    expect([graph.out.includes("Sizes of clip"), graph.out.includes("clip.evaluate")]).toEqual([false, true])
    expect([model.out.includes("clip.evaluate"), model.out.includes("151,277,313")]).toEqual([false, true])
    expect([both.out.includes("Sizes of clip"), both.out.includes("clip.evaluate")]).toEqual([true, true])
  })
})
