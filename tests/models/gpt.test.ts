import "@tensorflow/tfjs-backend-cpu"
import { flatten, isParamSpec, sizeOf } from "@millrace/core"
import { type GptConfig, gptLogits, gptParams, gptPresets, gptTrunk } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { referenceLogits, referenceTrunk, wave } from "./reference/gpt.js"
import { gptTensors, testParams } from "./reference/params.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const countOf = (config: GptConfig): number =>
  Object.values(flatten(gptParams(config), isParamSpec)).reduce((n, { shape }) => n + sizeOf(shape), 0)

/** Small odd shapes. */
const configs: ReadonlyArray<GptConfig> = [
  { vocab: 5, context: 7, width: 3, layers: 1, heads: 1 },
  { vocab: 11, context: 6, width: 10, layers: 2, heads: 2 },
  { vocab: 7, context: 9, width: 9, layers: 3, heads: 3, mlp: 5, tied: false },
]

const ids = (config: GptConfig, length: number, seed: number): Array<number> =>
  Array.from(wave(length, seed, 1), (v) => Math.floor(Math.abs(v) * 0.999 * config.vocab))

const logitsOf = (
  config: GptConfig,
  rows: ReadonlyArray<ReadonlyArray<number>>,
  mask?: ReadonlyArray<ReadonlyArray<number>>,
): number[][][] => {
  const specs = gptParams(config)
  return tf.tidy(() => {
    const tokens = tf.tensor2d(
      rows.map((row) => [...row]),
      undefined,
      "int32",
    )
    const inputs = mask === undefined ? {} : { mask: tf.tensor2d(mask.map((row) => [...row])) }
    return gptLogits(config, gptTensors(specs, testParams(specs)), tokens, inputs).arraySync() as number[][][]
  })
}

const expectClose = (actual: ReadonlyArray<number>, expected: ReadonlyArray<number>, tolerance: number): void => {
  expect(actual).toHaveLength(expected.length)
  const scale = Math.max(1, ...expected.map(Math.abs))
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!) / scale, `${value} is not ${expected[i]}`).toBeLessThanOrEqual(tolerance)
  })
}

describe("parameters", () => {
  // Counted by hand from the published shapes; tied, with biases.
  test.each([
    ["gpt2-124m", 124_439_808],
    ["gpt2-355m", 354_823_168],
    ["gpt2-774m", 774_030_080],
    ["gpt2-1558m", 1_557_611_200],
    ["gpt3-xl", 1_315_723_264],
    ["gpt3-6.7b", 6_658_404_352],
    ["gpt3-175b", 174_604_259_328],
  ] as const)("%s has %i parameters", (name, expected) => {
    expect(countOf(gptPresets[name])).toBe(expected)
  })

  test.each([
    ["gpt3-small", 125.2e6, 0.1e6],
    ["gpt3-medium", 355.9e6, 0.1e6],
    ["gpt3-large", 760.3e6, 0.1e6],
    ["gpt3-2.7b", 2.652e9, 0.001e9],
    ["gpt3-13b", 12.85e9, 0.01e9],
  ] as const)("%s has about %d parameters", (name, expected, tolerance) => {
    expect(Math.abs(countOf(gptPresets[name]) - expected)).toBeLessThanOrEqual(tolerance)
  })

  test("an untied unembedding adds vocabulary times width parameters", () => {
    const config = gptPresets["gpt-nano"]
    expect(countOf({ ...config, tied: false }) - countOf(config)).toBe(config.vocab * config.width)
  })

  test("residual projections start smaller by the square root of twice the depth", () => {
    const specs = flatten(gptParams(gptPresets["gpt2-124m"]), isParamSpec)
    expect(specs["blocks.3.attention.qkv.weight"]?.init).toEqual({ kind: "normal", std: 0.02 })
    expect(specs["blocks.3.attention.out.weight"]?.init).toEqual({ kind: "normal", std: 0.02 / Math.sqrt(24) })
    expect(specs["blocks.3.mlp.down.weight"]?.init).toEqual({ kind: "normal", std: 0.02 / Math.sqrt(24) })
    expect(specs.position?.init).toEqual({ kind: "normal", std: 0.01 })
  })
})

describe("forward", () => {
  test.each(configs)("equals plain float64 loops: $width wide, $heads heads, $layers layers", (config) => {
    const values = testParams(gptParams(config))
    for (const [seed, length] of [1, config.context, 3].entries()) {
      const row = ids(config, length, seed)
      const [logits] = logitsOf(config, [row])
      expectClose(logits!.flat(), referenceLogits(config, values, row).flat(), 1e-5)
    }
  })

  test("a batch gives each row what it gets alone", () => {
    const config = configs[1]!
    const rows = [0, 1, 2].map((seed) => ids(config, 5, seed))
    expect(logitsOf(config, rows)).toEqual(rows.map((row) => logitsOf(config, [row])[0]))
  })

  test("a later token never changes an earlier logit, bit for bit", () => {
    const config = configs[1]!
    fc.assert(
      fc.property(
        fc.array(fc.nat(config.vocab - 1), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(config.vocab - 1),
        (row, at, other) => {
          const changed = row.map((id, t) => (t >= at ? (id + other) % config.vocab : id))
          const [before, after] = logitsOf(config, [row, changed])
          expect(after!.slice(0, at)).toEqual(before!.slice(0, at))
        },
      ),
      { numRuns: 20 },
    )
  })

  test("an earlier token changes a later logit", () => {
    const config = configs[1]!
    const [before, after] = logitsOf(config, [
      [1, 2, 3, 4],
      [5, 2, 3, 4],
    ])
    expect(after![3]).not.toEqual(before![3])
  })
})
