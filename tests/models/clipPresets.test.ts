import { flatten, type Init, isParamSpec, type ParamSpec, sizeOf, type Tree } from "@millrace/core"
import { type ClipConfig, clipParams, clipPresets } from "@millrace/models"
import { describe, expect, test } from "vitest"

const specsOf = (tree: Tree<ParamSpec>): ReadonlyArray<[string, ParamSpec]> =>
  Object.entries(flatten<ParamSpec>(tree, isParamSpec))

/** How many numbers are learnt; running statistics are not. */
const learnt = (tree: Tree<ParamSpec>): number =>
  specsOf(tree).reduce((n, [, { shape, learns }]) => (learns === false ? n : n + sizeOf(shape)), 0)

describe("parameters", () => {
  test.each([
    ["RN50", 38_316_896, 63_690_240, 102_007_137],
    ["RN101", 56_259_936, 63_428_096, 119_688_033],
    ["RN50x4", 87_137_080, 91_163_520, 178_300_601],
    ["RN50x16", 167_328_912, 123_650_304, 290_979_217],
    ["RN50x64", 420_380_352, 202_877_952, 623_258_305],
    ["ViT-B/32", 87_849_216, 63_428_096, 151_277_313],
    ["ViT-B/16", 86_192_640, 63_428_096, 149_620_737],
    ["ViT-L/14", 303_966_208, 123_650_304, 427_616_513],
    ["ViT-L/14@336", 304_293_888, 123_650_304, 427_944_193],
  ] as const)("%s has %d for images, %d for texts, %d in all", (name, image, text, all) => {
    const params = clipParams(clipPresets[name])
    expect(learnt(params.image)).toBe(image)
    expect(learnt(params.text)).toBe(text)
    expect(learnt(params)).toBe(all)
  })

  test("running statistics are two numbers for each channel that is normalised, and count as learnt nowhere", () => {
    const { image, ...rest } = clipPresets.RN50
    const running: ClipConfig = { ...rest, image: { ...image, norm: "running" } }
    expect(learnt(clipParams(running))).toBe(learnt(clipParams(clipPresets.RN50)))
    const names = specsOf(clipParams(running).image).map(([name]) => name)
    const [means, variances, gains] = ["mean", "variance", "gain"].map((leaf) =>
      names.flatMap((name) => (name.endsWith(leaf) ? [name.slice(0, -leaf.length)] : [])),
    )
    expect(means).toEqual(gains)
    expect(variances).toEqual(gains)
    // Three in the stem, three in each of 16 blocks, four skips.
    expect(gains).toHaveLength(3 + 3 * 16 + 4)
  })
})

const normal = (std: number): Init => ({ kind: "normal", std })
const within = (bound: number): Init => ({ kind: "uniform", low: -bound, high: bound })
const [zeros, ones]: [Init, Init] = [{ kind: "zeros" }, { kind: "ones" }]

describe("starts, of openai/CLIP's code and where it is silent PyTorch's", () => {
  const startOf = (config: ClipConfig, name: string): Init =>
    flatten<ParamSpec>(clipParams(config), isParamSpec)[name]!.init

  test.each<[string, Init]>([
    ["text.token", normal(0.02)],
    ["text.position", normal(0.01)],
    ["text.blocks.3.attention.qkv.weight", normal(512 ** -0.5)],
    ["text.blocks.3.attention.qkv.bias", zeros],
    ["text.blocks.3.attention.out.weight", normal(512 ** -0.5 * 24 ** -0.5)],
    ["text.blocks.3.attention.out.bias", zeros],
    ["text.blocks.3.mlp.up.weight", normal(1024 ** -0.5)],
    ["text.blocks.3.mlp.up.bias", within(512 ** -0.5)],
    ["text.blocks.3.mlp.down.weight", normal(512 ** -0.5 * 24 ** -0.5)],
    ["text.blocks.3.mlp.down.bias", within(2048 ** -0.5)],
    ["text.blocks.3.norm1.gain", ones],
    ["text.norm.bias", zeros],
    ["text.projection", normal(512 ** -0.5)],
    ["image.patches.weight", within((3 * 32 * 32) ** -0.5)],
    ["image.classToken", normal(768 ** -0.5)],
    ["image.position", normal(768 ** -0.5)],
    ["image.blocks.5.attention.qkv.weight", within(Math.sqrt(6 / (4 * 768)))],
    ["image.blocks.5.attention.qkv.bias", zeros],
    ["image.blocks.5.attention.out.weight", within(768 ** -0.5)],
    ["image.blocks.5.mlp.up.weight", within(768 ** -0.5)],
    ["image.blocks.5.mlp.down.weight", within(3072 ** -0.5)],
    ["image.projection", normal(768 ** -0.5)],
    ["logScale", { kind: "uniform", low: Math.log(1 / 0.07), high: Math.log(1 / 0.07) }],
  ])("ViT-B/32: %s", (name, expected) => {
    const found = startOf(clipPresets["ViT-B/32"], name)
    expect(found.kind).toBe(expected.kind)
    expect(Object.values(found).slice(1)).toEqual(
      Object.values(expected)
        .slice(1)
        .map((x) => expect.closeTo(x, 12)),
    )
  })

  test.each<[string, Init]>([
    ["image.stem.conv1.weight", within(27 ** -0.5)],
    ["image.stages.2.1.conv2.weight", within((9 * 256) ** -0.5)],
    ["image.stages.2.0.skip.conv.weight", within(512 ** -0.5)],
    ["image.stages.2.0.skip.norm.gain", ones],
    ["image.stages.2.1.norm2.gain", ones],
    ["image.stages.2.1.norm3.gain", zeros],
    ["image.stages.2.1.norm3.bias", zeros],
    ["image.pool.position", normal(2048 ** -0.5)],
    ["image.pool.key.weight", normal(2048 ** -0.5)],
    ["image.pool.key.bias", within(2048 ** -0.5)],
    ["image.pool.out.weight", normal(2048 ** -0.5)],
  ])("RN50: %s", (name, expected) => {
    const found = startOf(clipPresets.RN50, name)
    expect(found.kind).toBe(expected.kind)
    expect(Object.values(found).slice(1)).toEqual(
      Object.values(expected)
        .slice(1)
        .map((x) => expect.closeTo(x, 12)),
    )
  })
})

test("every layer's heads are 64 wide", () => {
  for (const { image, text } of Object.values<ClipConfig>(clipPresets)) {
    expect(text.width / text.heads).toBe(64)
    if (image.kind === "vit") expect(image.width / image.heads).toBe(64)
  }
})
