import "@tensorflow/tfjs-backend-cpu"
import { BadData, flatten, float32, type HostTensors, initParams, isParamSpec, keyFromSeed } from "@millrace/core"
import {
  alignedLogProbs,
  fromScalar,
  fromTrunk,
  type GptConfig,
  gptParams,
  normalisedHead,
  rewardParams,
  rewardScore,
  type ScalarParams,
  valueParams,
  values,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { beforeAll, describe, expect, test } from "vitest"
import { referenceLogits, referenceTrunk } from "./reference/gpt.js"
import { tensorsOf, testParams } from "./reference/params.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const config: GptConfig = { vocab: 11, context: 8, width: 6, layers: 2, heads: 2, tied: false }
const specs = rewardParams(config)
const flat = testParams(specs)
const trunk = Object.fromEntries(Object.entries(flat).map(([name, v]) => [name.replace(/^trunk\./, ""), v]))
const head = (x: ReadonlyArray<number>): number =>
  x.reduce((sum, v, i) => sum + v * flat["head.weight"]![i]!, flat["head.bias"]![0]!)

const run = (
  what: typeof rewardScore,
  rows: ReadonlyArray<ReadonlyArray<number>>,
  mask?: ReadonlyArray<ReadonlyArray<number>>,
  of = flat,
): Array<number> =>
  tf.tidy(() => [
    ...what(
      config,
      tensorsOf(specs, of) as ScalarParams,
      tf.tensor2d(
        rows.map((row) => [...row]),
        undefined,
        "int32",
      ),
      mask === undefined ? undefined : tf.tensor2d(mask.map((row) => [...row])),
    ).dataSync(),
  ])

const expectClose = (actual: ReadonlyArray<number>, expected: ReadonlyArray<number>, digits = 5): void => {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i]!, digits)
  })
}

const row = [3, 1, 4, 1]

describe("reward", () => {
  test("is the head at the last token", () => {
    expectClose(run(rewardScore, [row]), [head(referenceTrunk(config, trunk, row)[3]!)])
  })

  test("is read at the last real token, wherever padding stands", () => {
    const [alone] = run(rewardScore, [row])
    const rows = [
      [...row, 7, 9],
      [7, 9, ...row],
      [7, ...row, 9],
      [3, 7, 1, 4, 9, 1],
    ]
    const mask = [
      [1, 1, 1, 1, 0, 0],
      [0, 0, 1, 1, 1, 1],
      [0, 1, 1, 1, 1, 0],
      [1, 0, 1, 1, 0, 1],
    ]
    expectClose(run(rewardScore, rows, mask), [alone!, alone!, alone!, alone!], 6)
  })

  test("of a row without a real token is 0", () => {
    expect(run(rewardScore, [row], [[0, 0, 0, 0]])).toEqual([0])
  })

  test("a bias makes the mean of the given scores 0 and moves every score alike", () => {
    const rows = [row, [1, 2, 3, 4], [5, 6, 7, 8]]
    const before = run(rewardScore, rows)
    const host = Object.fromEntries(
      Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => [
        `score.${name}`,
        float32(shape, flat[name]!),
      ]),
    )
    const normalised = (how: Parameters<typeof normalisedHead>[3]) => {
      const made = normalisedHead(host, "score.", before, how)
      expect(Object.keys(made)).toEqual(["score.head.weight", "score.head.bias"])
      return run(rewardScore, rows, undefined, {
        ...flat,
        "head.weight": Float64Array.from(made["score.head.weight"]!.data),
        "head.bias": Float64Array.from(made["score.head.bias"]!.data),
      })
    }
    const mean = (xs: ReadonlyArray<number>) => xs.reduce((a, b) => a + b, 0) / xs.length
    const shifted = normalised({ kind: "bias" })
    expectClose(
      shifted,
      before.map((v) => v - mean(before)),
    )
    const scaled = normalised({ kind: "gain+bias", target: { mean: 2, std: 3 } })
    expect(mean(scaled)).toBeCloseTo(2, 4)
    expect(Math.sqrt(mean(scaled.map((v) => (v - mean(scaled)) ** 2)))).toBeCloseTo(3, 4)
  })
})

describe("value", () => {
  test("is the head at every position, and 0 at padding", () => {
    const expected = referenceTrunk(config, trunk, row).map(head)
    expectClose(run(values, [row]), expected)
    expectClose(run(values, [[9, ...row, 7]], [[0, 1, 1, 1, 1, 0]]), [0, ...expected, 0])
  })

  test("starts at zero everywhere", () => {
    const host = initParams(flatten(valueParams(config), isParamSpec), keyFromSeed(3))
    const start = Object.fromEntries(Object.entries(host).map(([name, { data }]) => [name, Float64Array.from(data)]))
    expect(run(values, [row], undefined, start).map(Math.abs)).toEqual([0, 0, 0, 0])
  })
})

describe("starting from another model", () => {
  const host = (prefix: string, of: typeof specs | ReturnType<typeof gptParams>): HostTensors =>
    Object.fromEntries(
      Object.entries(initParams(flatten(of, isParamSpec), keyFromSeed(1))).map(([name, v]) => [prefix + name, v]),
    )

  test("a reward model takes every trunk parameter from a policy, and nothing else", () => {
    const policy = host("logits.", gptParams(config))
    const taken = fromTrunk(config, policy, "logits.", "score.trunk.")
    const wanted = Object.keys(host("score.", specs)).filter((name) => !name.startsWith("score.head."))
    expect(Object.keys(taken).sort()).toEqual(wanted.sort())
    expect(taken["score.trunk.blocks.1.mlp.up.weight"]).toBe(policy["logits.blocks.1.mlp.up.weight"])
  })

  test("a value model takes everything from a reward model", () => {
    const from = host("score.", specs)
    const taken = fromScalar(config, from, "score.", "values.")
    expect(Object.keys(taken).sort()).toEqual(Object.keys(host("values.", valueParams(config))).sort())
    expect(taken["values.head.weight"]).toBe(from["score.head.weight"])
  })

  test("a wrong prefix or another config is refused by name", () => {
    const policy = host("logits.", gptParams(config))
    expect(() => fromTrunk(config, policy, "policy.", "score.trunk.")).toThrow(BadData)
    expect(() => fromTrunk(config, policy, "policy.", "score.trunk.")).toThrow(/no policy\.token/)
    expect(() => fromTrunk({ ...config, context: 9 }, policy, "logits.", "score.trunk.")).toThrow(
      /logits\.position \[8, 6\]/,
    )
  })
})

describe("log-probabilities", () => {
  const model: GptConfig = { ...config, tied: true }
  const p = testParams(gptParams(model))
  const logits = referenceLogits(model, p, [...row, 5])
  const expected = [...row, 5].map((token, t) => {
    if (t === 0) return 0
    const l = logits[t - 1]!
    return l[token]! - Math.log(l.reduce((z, v) => z + Math.exp(v), 0))
  })
  const aligned = (rows: number[][][], tokens: number[][], mask?: number[][]): Array<number> =>
    tf.tidy(() => [
      ...alignedLogProbs(
        tf.tensor3d(rows),
        tf.tensor2d(tokens, undefined, "int32"),
        mask === undefined ? undefined : tf.tensor2d(mask),
      ).dataSync(),
    ])

  test("stand at their token, and the first is 0", () => {
    expectClose(aligned([logits], [[...row, 5]]), expected)
  })

  test("are 0 at padding and at the first real token, whatever the logits there", () => {
    const nothing = logits[0]!.map(() => Number.NaN)
    const padded = aligned([[nothing, ...logits, nothing]], [[-4, ...row, 5, 99]], [[0, 1, 1, 1, 1, 1, 0]])
    expectClose(padded, [0, ...expected, 0])
  })
})
