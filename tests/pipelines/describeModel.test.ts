import { describe, expect, test } from "vitest"
import { here } from "./here.js"

describe("millrace describe of a model", () => {
  test("tells the parameters, the arithmetic and the memory of a published size", async () => {
    const { code, out } = await here(["describe", "gpt", "--size", "gpt3-175b"])
    expect(code).toBe(0)
    expect(out).toMatch(/parameters +174,604,259,328/)
    // 2 · 174.6e9 for the weights, of which the 0.6e9 of tables are not multiplied but once; and 2,048 positions of attention.
    expect(out).toMatch(/arithmetic, forward +358\.8 GFLOP +per token, of 2,048/)
    expect(out).toMatch(/weights +698\.4 GB/)
    expect(out).toMatch(/Adam's moments +1\.397 TB/)
  })

  test("lists the sizes that there are", async () => {
    const { code, out } = await here(["describe", "gpt"])
    expect([code, out.includes("gpt2-124m")]).toEqual([0, true])
  })

  test("an unknown size exits with 2 and names those that there are", async () => {
    const { code, err } = await here(["describe", "gpt", "--size", "gpt2-124"])
    expect(code).toBe(2)
    expect(err).toContain('did you mean "gpt2-124m"')
  })

  test("a size for a graph exits with 2", async () => {
    const { code, err } = await here(["describe", "instructgpt", "--size", "gpt2-124m"])
    expect(code).toBe(2)
    expect(err).toContain("leave --size out")
  })

  test("--json has the numbers of the text, and nothing else on stdout", async () => {
    const { out } = await here(["describe", "gpt", "--size", "gpt3-175b", "--json"])
    const { graph, model } = JSON.parse(out)
    expect(model).toMatchObject({
      size: "gpt3-175b",
      example: { unit: "token", count: 2048 },
      parameters: { all: 174_604_259_328, frozen: 0 },
      memory: { weights: 4 * 174_604_259_328, optimizer: 8 * 174_604_259_328 },
    })
    const { weights, gradients, optimizer, training, all } = model.memory
    expect(all).toBe(weights + gradients + optimizer + training)
    expect((model.flops.forward / 2048 / 1e9).toFixed(1)).toBe("358.8")
    expect(graph.nodes[0]).toMatchObject({ name: "model", node: "gpt.logits@1", config: { width: 12288, layers: 96 } })
    expect(JSON.parse((await here(["describe", "gpt", "--json"])).out).model.sizes).toContain("gpt2-124m")
  })

  test("--json of a name that is a model and a graph has both", async () => {
    const { graph, model } = JSON.parse((await here(["describe", "clip", "--json"])).out)
    expect([graph.level, model.sizes.includes("ViT-L/14")]).toEqual(["stage", true])
  })
})
