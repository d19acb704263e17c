import { costs, graph, objectiveOf, resolveSizes, sizeOf, tensor } from "@millrace/core"
import { type GptConfig, gpt, paperModels } from "@millrace/models"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const objective = (config: GptConfig) =>
  objectiveOf(
    graph("gpt", { tokens: tensor("int32", "b t", "token") })
      .node("logits", gpt.logits(config), { tokens: "tokens" })
      .output({ logits: "logits" }),
  )

const at = (config: GptConfig, b: number, t: number) =>
  costs(objective(config), { tokens: { dtype: "int32", shape: [b, t] } })

const configs = fc.record({
  vocab: fc.integer({ min: 2, max: 40 }),
  context: fc.constant(16),
  width: fc.integer({ min: 1, max: 6 }).map((n) => 4 * n),
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom(1, 2, 4),
})

describe("costs of a GPT", () => {
  test("forward arithmetic is that of its products, by hand", () => {
    fc.assert(
      fc.property(configs, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 16 }), (config, b, t) => {
        const { vocab: v, width: d, layers } = config
        // 12 d² weights a layer, scores and their sums of t · t · d each, and the unembedding.
        const products = b * t * (layers * (12 * d * d + 2 * t * d) + v * d)
        expect(at(config, b, t).flops.forward).toBe(2 * products)
      }),
      { numRuns: 30 },
    )
  })

  test("forward and backward take three times the arithmetic of forward, and sums that are products of few columns", () => {
    fc.assert(
      fc.property(configs, (config) => {
        const { flops } = at(config, 2, 8)
        expect(flops.training).toBeGreaterThanOrEqual(3 * flops.forward)
        expect(flops.training).toBeLessThan(3.1 * flops.forward)
      }),
      { numRuns: 20 },
    )
  })

  test("arithmetic and activations are proportional to the batch, weights are not", () => {
    const config = { vocab: 11, context: 16, width: 8, layers: 2, heads: 2 }
    const [one, three] = [at(config, 1, 16), at(config, 3, 16)]
    expect(three.flops.training).toBe(3 * one.flops.training)
    expect(three.memory.weights).toBe(one.memory.weights)
    expect(three.memory.training / one.memory.training).toBeGreaterThan(2.5)
    expect(three.memory.training / one.memory.training).toBeLessThanOrEqual(3)
  })

  test("what lives while training is more than what lives in a forward pass", () => {
    const { memory } = at({ vocab: 11, context: 16, width: 8, layers: 4, heads: 2 }, 2, 16)
    expect(memory.training).toBeGreaterThan(memory.forward)
  })
})

const parametersOf = (model: string, size: string): number =>
  Object.values(objectiveOf(paperModels[model]!.sizes[size]!().graph).paramSpecs)
    .map(({ shape }) => sizeOf(shape))
    .reduce((a, b) => a + b, 0)

describe("models at their published sizes", () => {
  test.each(
    Object.entries(paperModels).flatMap(([model, { sizes }]) => Object.keys(sizes).map((size) => ({ model, size }))),
  )("$model $size is a graph whose parameters are counted without being made", ({ model, size }) => {
    const before = process.memoryUsage.rss()
    const found = paperModels[model]!.sizes[size]!()
    const { parameters, memory } = costs(objectiveOf(found.graph), resolveSizes(found.graph, found.sizes).inputs)
    expect(memory.weights).toBe(4 * (parameters.trainable + parameters.frozen))
    // Programs are a few thousand equations; the largest model has 700 GB of weights.
    expect(process.memoryUsage.rss() - before).toBeLessThan(500e6)
  })

  test.each([
    ["gpt", "gpt2-124m", 124_439_808],
    ["gpt", "gpt2-355m", 354_823_168],
    ["gpt", "gpt2-774m", 774_030_080],
    ["gpt", "gpt2-1558m", 1_557_611_200],
    ["gpt", "gpt3-xl", 1_315_723_264],
    ["gpt", "gpt3-6.7b", 6_658_404_352],
    ["gpt", "gpt3-175b", 174_604_259_328],
    ["clip", "RN50", 102_007_137],
    ["clip", "RN101", 119_688_033],
    ["clip", "RN50x4", 178_300_601],
    ["clip", "RN50x16", 290_979_217],
    ["clip", "RN50x64", 623_258_305],
    ["clip", "ViT-B/32", 151_277_313],
    ["clip", "ViT-B/16", 149_620_737],
    ["clip", "ViT-L/14", 427_616_513],
    ["clip", "ViT-L/14@336", 427_944_193],
    ["dvae-encoder", "dall-e", 53_786_240],
    ["dvae-decoder", "dall-e", 43_829_766],
    ["prior", "karlo", 1_022_028_544],
  ] as const)("%s %s has %i parameters", (model, size, count) => {
    expect(parametersOf(model, size)).toBe(count)
  })

  test.each([
    ["sparse", "dall-e-12b", 12e9, 0.03],
    ["decoder", "unclip", 3.55e9, 0.005],
    ["decoder", "glide-filtered", 308.3e6 + 76.3e6, 0.002],
    ["decoder", "karlo", 893.3e6, 0.001],
    ["upsampler", "unclip-256", 729.7e6, 0.001],
    ["upsampler", "unclip-1024", 282.1e6, 0.001],
  ] as const)("%s %s has the %d parameters that are printed, within %d of them", (model, size, count, within) => {
    expect(Math.abs(parametersOf(model, size) / count - 1)).toBeLessThan(within)
  })
})
