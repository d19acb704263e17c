import { flatten, isParamSpec, type ParamSpec, sizeOf, type Tree } from "@millrace/core"
import { dvaeDecoderParams, dvaeEncoderParams, dvaePresets, sparseParams, sparsePresets } from "@millrace/models"
import { describe, expect, test } from "vitest"

const count = (specs: Tree<ParamSpec>, kept: (name: string, spec: ParamSpec) => boolean = () => true): number =>
  Object.entries(flatten<ParamSpec>(specs, isParamSpec)).reduce(
    (n, [name, spec]) => n + (kept(name, spec) ? sizeOf(spec.shape) : 0),
    0,
  )

describe("the dVAE of DALL·E", () => {
  const paper = dvaePresets["dall-e"]

  test("has 53,786,240 parameters in its encoder and 43,829,766 in its decoder", () => {
    expect(count(dvaeEncoderParams(paper))).toBe(53_786_240)
    expect(count(dvaeDecoderParams(paper))).toBe(43_829_766)
  })

  test("halves 256 × 256 pixels three times, to 32 × 32 codes", () => {
    expect([paper.rows, paper.columns].map((side) => side * 2 ** (paper.groups - 1))).toEqual([256, 256])
  })

  test("is 256, 512, 1024 and 2048 channels wide, a quarter of that within blocks", () => {
    const names = flatten<ParamSpec>(dvaeEncoderParams(paper), isParamSpec)
    const widths = [0, 1, 2, 3].map((g) => names[`groups.${g}.1.convs.3.weight`]!.shape)
    expect(widths).toEqual([256, 512, 1024, 2048].map((width) => [1, 1, width / 4, width]))
  })
})

describe("the sparse transformer of DALL·E", () => {
  const paper = sparsePresets["dall-e-12b"]
  const d = 62 * 64

  test("has 12 · d² weights in each of its 64 layers: 12,092,178,432", () => {
    const weights = count(sparseParams(paper), (name, { shape }) => name.startsWith("blocks.") && shape.length === 2)
    expect(weights).toBe(64 * 12 * d ** 2)
    expect(weights).toBe(12_092_178_432)
  })

  test("has 12,293,824,256 parameters with its norms, biases and embeddings, which the paper calls 12 billion", () => {
    const block = 12 * d ** 2 + 13 * d
    const text = 16_384 + 256
    const embeddings = (text + 256 + 8192 + 32 + 32) * d
    const unembeddings = (text + 8192) * d
    expect(count(sparseParams(paper))).toBe(64 * block + embeddings + 2 * d + unembeddings)
    expect(count(sparseParams(paper))).toBe(12_293_824_256)
  })

  test("reads 1,280 tokens and has a padding for each of its 256 words", () => {
    expect(paper.text + paper.rows * paper.columns).toBe(1280)
    expect(flatten<ParamSpec>(sparseParams(paper), isParamSpec)["text.token"]!.shape[0]).toBe(16_384 + 256)
  })
})
