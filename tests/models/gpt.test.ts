import "@tensorflow/tfjs-backend-cpu"
import { BadConfig, BadLength, flatten, isParamSpec, mapTree, sizeOf } from "@millrace/core"
import { type GptConfig, type GptParams, gpt, gptLogits, gptParams, gptPresets } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { referenceLogits, wave } from "./reference/gpt.js"
import { gptTensors, testParams } from "./reference/params.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor

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

describe("padding", () => {
  const config = configs[1]!
  const row = [3, 1, 4, 1]

  test.each([
    ["left", [7, 9, ...row], [0, 0, 1, 1, 1, 1], [2, 3, 4, 5]],
    ["right", [...row, 7, 9], [1, 1, 1, 1, 0, 0], [0, 1, 2, 3]],
    ["both sides", [7, ...row, 9], [0, 1, 1, 1, 1, 0], [1, 2, 3, 4]],
    ["gaps", [3, 7, 1, 4, 9, 1], [1, 0, 1, 1, 0, 1], [0, 2, 3, 5]],
  ] as const)("on the %s changes no logit of a real token", (_, padded, mask, places) => {
    const [alone] = logitsOf(config, [row])
    const [logits] = logitsOf(config, [padded], [mask])
    expectClose(
      places.flatMap((t) => logits![t]!),
      alone!.flat(),
      1e-6,
    )
  })

  test("a mask of ones is no mask", () => {
    expect(logitsOf(config, [row], [[1, 1, 1, 1]])).toEqual(logitsOf(config, [row]))
  })

  test("what a padded token is changes nothing, be it outside of the vocabulary", () => {
    const mask = [0, 1, 1, 0]
    const before = logitsOf(config, [[2, 3, 4, 5]], [mask])
    expect(logitsOf(config, [[-1, 3, 4, 99_999]], [mask])).toEqual(before)
  })

  test("a row that is all padding is finite, and so are its neighbours", () => {
    const [empty, full] = logitsOf(
      config,
      [row, row],
      [
        [0, 0, 0, 0],
        [1, 1, 1, 1],
      ],
    )
    expect(empty!.flat().every(Number.isFinite)).toBe(true)
    expect(full).toEqual(logitsOf(config, [row])[0])
  })

  test("NaN in the embedding of a padded token reaches no logit and no gradient", () => {
    const untied = configs[2]!
    const specs = gptParams(untied)
    const flat = testParams(specs)
    const poisoned = {
      ...flat,
      token: flat.token!.map((v, i) => (Math.floor(i / untied.width) === 6 ? Number.NaN : v)),
    }
    const run = (values: typeof flat) =>
      tf.tidy(() => {
        const p = gptTensors(specs, values)
        const tokens = tf.tensor2d([[6, 6, 2, 3, 6]], undefined, "int32")
        const mask = tf.tensor2d([[0, 0, 1, 1, 0]])
        const loss = (token: tf.Tensor, up: tf.Tensor): tf.Scalar => {
          const [first, ...rest] = p.blocks
          const blocks = [{ ...first!, mlp: { ...first!.mlp, up: { ...first!.mlp.up, weight: up } } }, ...rest]
          const logits = gptLogits(untied, { ...p, token, blocks }, tokens, { mask })
          return tf.sum(tf.square(tf.slice(logits, [0, 2, 0], [1, 2, untied.vocab])))
        }
        const { value, grads } = tf.valueAndGrads((...[a, b]) => loss(a!, b!))([p.token, p.blocks[0]!.mlp.up.weight])
        return [value, ...grads].map((x) => [...x.dataSync()])
      })
    const clean = run(flat)
    expect(clean.flat().every(Number.isFinite)).toBe(true)
    expect(run(poisoned)).toEqual(clean)
  })
})

describe("gradients", () => {
  test.each([configs[0]!, configs[2]!])("equal central differences of the float64 loops: $layers layers", (config) => {
    const specs = gptParams(config)
    const flat = testParams(specs)
    const row = ids(config, 4, 5)
    const next = [...row.slice(1), 0]
    const names = Object.keys(flatten(specs, isParamSpec))
    const reference = (values: typeof flat): number =>
      referenceLogits(config, values, row).reduce((sum, logits, t) => {
        const top = Math.max(...logits)
        return sum + top + Math.log(logits.reduce((z, l) => z + Math.exp(l - top), 0)) - logits[next[t]!]!
      }, 0)
    const gradients = tf.tidy(() => {
      const leaves = names.map((name) => flatten<tf.Tensor>(gptTensors(specs, flat), isTensor)[name]!)
      const loss = (...tensors: ReadonlyArray<tf.Tensor>): tf.Scalar => {
        const p = mapTree(specs, isParamSpec, (name) => tensors[names.indexOf(name)]!) as GptParams
        const logits = gptLogits(config, p, tf.tensor2d([row], undefined, "int32"))
        const hot = tf.oneHot(tf.tensor1d(next, "int32"), config.vocab)
        return tf.neg(tf.sum(tf.mul(hot, tf.logSoftmax(tf.reshape(logits, [-1, config.vocab])))))
      }
      return tf
        .grads(loss)(leaves)
        .map((g) => [...g.dataSync()])
    })
    const scale = Math.max(...gradients.flat().map(Math.abs))
    for (const [n, name] of names.entries()) {
      // First, middle and last element of every parameter.
      const { length } = flat[name]!
      for (const i of new Set([0, length >> 1, length - 1])) {
        const moved = (by: number) => ({ ...flat, [name]: flat[name]!.map((v, j) => (j === i ? v + by : v)) })
        const slope = (reference(moved(1e-5)) - reference(moved(-1e-5))) / 2e-5
        expect(Math.abs(gradients[n]![i]! - slope) / scale, `${name}[${i}]`).toBeLessThanOrEqual(1e-5)
      }
    }
  })
})

describe("refusals", () => {
  test("a text longer than the context is refused with both lengths", () => {
    expect(() => logitsOf(configs[0]!, [[0, 1, 2, 3, 4, 0, 1, 2]])).toThrow(BadLength)
    expect(() => logitsOf(configs[0]!, [[0, 1, 2, 3, 4, 0, 1, 2]])).toThrow(/at most 7 tokens[\s\S]*8 tokens/)
  })

  test("a width that the heads do not divide is refused", () => {
    expect(() => gpt.logits({ vocab: 5, context: 8, width: 10, layers: 1, heads: 3 })).toThrow(BadConfig)
    expect(() => gpt.logits({ vocab: 5, context: 8, width: 10, layers: 1, heads: 3 })).toThrow(/multiple of heads 3/)
  })
})
