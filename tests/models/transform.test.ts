import "@tensorflow/tfjs-backend-cpu"
import { keyFromSeed, random } from "@millrace/core"
import { drawToken, type SamplingTransform, transformLogits } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const float = (low: number, high: number) => fc.float({ min: low, max: high, noNaN: true })
/** Rows with equals among them, and some far apart. */
const logits = fc.array(fc.oneof(float(-5, 5), fc.constantFrom(0, 1, -1000, 1000)), { minLength: 2, maxLength: 12 })
const mass = fc.double({ min: 0.01, max: 1, noNaN: true })

const transformed = (row: ReadonlyArray<number>, how: SamplingTransform): Array<number> =>
  tf.tidy(() => [...transformLogits(tf.tensor2d([[...row]]), how).dataSync()])

const softmax = (row: ReadonlyArray<number>): Array<number> => {
  const top = Math.max(...row)
  const e = row.map((v) => Math.exp(v - top))
  const sum = e.reduce((a, b) => a + b, 0)
  return e.map((v) => v / sum)
}

/** Which tokens are kept. Filtered ones are far below what a logit may be. */
const kept = (row: ReadonlyArray<number>, how: SamplingTransform): Array<boolean> =>
  transformed(row, how).map((v) => v > -1e8)

const isSubset = (a: ReadonlyArray<boolean>, b: ReadonlyArray<boolean>): boolean => a.every((in_, i) => !in_ || b[i])

const draw = (row: ReadonlyArray<number>, uniform: ReadonlyArray<number>): Array<number> =>
  tf.tidy(() => {
    const rows = tf.tile(tf.tensor2d([[...row]]), [uniform.length, 1])
    return [...drawToken(rows, tf.tensor1d([...uniform])).dataSync()]
  })

describe("top-k", () => {
  test("keeps the k most probable tokens and their equals, and no others", () => {
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 12 }), (row, k) => {
        const least = [...row].sort((a, b) => b - a)[Math.min(k, row.length) - 1]!
        expect(kept(row, { topK: k })).toEqual(row.map((v) => v >= least))
      }),
    )
  })

  test("sets are nested in k", () => {
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 11 }), (row, k) => {
        expect(isSubset(kept(row, { topK: k }), kept(row, { topK: k + 1 }))).toBe(true)
      }),
    )
  })

  test("with k the size of the vocabulary changes nothing", () => {
    fc.assert(
      fc.property(logits, (row) => {
        expect(transformed(row, { topK: row.length })).toEqual(transformed(row, {}))
      }),
    )
  })
})

describe("top-p", () => {
  test("keeps the smallest prefix whose mass is at least p", () => {
    // Probabilities 0.5, 0.3, 0.15, 0.05: far from where rounding could decide.
    const row = [0.15, 0.5, 0.05, 0.3].map(Math.log)
    expect(kept(row, { topP: 0.4 })).toEqual([false, true, false, false])
    expect(kept(row, { topP: 0.6 })).toEqual([false, true, false, true])
    expect(kept(row, { topP: 0.9 })).toEqual([true, true, false, true])
    expect(kept(row, { topP: 0.96 })).toEqual([true, true, true, true])
  })

  test("keeps a mass of at least p", () => {
    fc.assert(
      fc.property(logits, mass, (row, p) => {
        const probabilities = softmax(row)
        const sum = kept(row, { topP: p }).reduce((total, in_, i) => total + (in_ ? probabilities[i]! : 0), 0)
        expect(sum).toBeGreaterThanOrEqual(p - 1e-5)
      }),
    )
  })

  test("sets are nested in p, and never empty", () => {
    fc.assert(
      fc.property(logits, mass, mass, (row, p, q) => {
        const [small, large] = [kept(row, { topP: Math.min(p, q) }), kept(row, { topP: Math.max(p, q) })]
        expect(isSubset(small, large)).toBe(true)
        expect(small.some(Boolean)).toBe(true)
      }),
    )
  })

  test("with p = 1 changes nothing", () => {
    fc.assert(
      fc.property(logits, (row) => {
        expect(transformed(row, { topP: 1 })).toEqual(transformed(row, {}))
      }),
    )
  })
})

describe("every transform", () => {
  const any = fc.record({
    temperature: fc.oneof(fc.constant(0), float(0.0078125, 10)),
    topK: fc.integer({ min: 1, max: 12 }),
    topP: mass,
  })

  test("keeps the most probable token", () => {
    fc.assert(
      fc.property(logits, any, (row, how) => {
        expect(kept(row, how)[row.indexOf(Math.max(...row))]).toBe(true)
      }),
    )
  })

  test("keeps or filters equals together, unless it takes one token alone", () => {
    fc.assert(
      fc.property(logits, any, (row, { topK, topP }) => {
        const in_ = kept(row, { topK, topP })
        row.forEach((v, i) => {
          expect(in_[i]).toBe(in_[row.indexOf(v)])
        })
      }),
    )
  })

  test("depends on differences of logits alone", () => {
    const row = [0.5, -1, 2, 0.25]
    expect(
      transformed(
        row.map((v) => v + 4),
        { temperature: 0.5, topK: 3 },
      ),
    ).toEqual(transformed(row, { temperature: 0.5, topK: 3 }))
  })

  test("divides differences of logits by the temperature", () => {
    const [a, b] = transformed([3, 1], { temperature: 0.5 })
    expect(a! - b!).toBeCloseTo(4, 5)
  })
})

describe("a draw", () => {
  const uniforms = fc.array(
    fc.integer({ min: 0, max: 2 ** 24 - 1 }).map((i) => i * 2 ** -24),
    { minLength: 1, maxLength: 8 },
  )

  test("at temperature 0 is the first of the most probable tokens, whatever the number", () => {
    fc.assert(
      fc.property(logits, uniforms, (row, u) => {
        const best = row.indexOf(Math.max(...row))
        expect(draw(transformed(row, { temperature: 0 }), u)).toEqual(u.map(() => best))
      }),
    )
  })

  test("at a temperature close to 0 is a most probable token", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 9 }), uniforms, (row, u) => {
        for (const token of draw(transformed(row, { temperature: 1e-4 }), u)) expect(row[token]).toBe(Math.max(...row))
      }),
    )
  })

  test("is never a filtered token, not even with the first and the last number", () => {
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 12 }), mass, uniforms, (row, topK, topP, u) => {
        const in_ = kept(row, { topK, topP })
        for (const token of draw(transformed(row, { topK, topP }), [...u, 0, 1 - 2 ** -24]))
          expect(in_[token]).toBe(true)
      }),
    )
  })

  test("does not fall when its number grows", () => {
    fc.assert(
      fc.property(logits, uniforms, (row, u) => {
        const tokens = draw(
          row,
          [...u].sort((a, b) => a - b),
        )
        expect([...tokens].sort((a, b) => a - b)).toEqual(tokens)
      }),
    )
  })

  test.each([
    ["the model's distribution", {}],
    ["a transformed one", { temperature: 0.7, topK: 4, topP: 0.95 }],
  ] as const)("has %s", (_, how) => {
    const row = [0.3, -1.2, 1.1, 0.9, -0.4, -3]
    const final = transformed(row, how)
    const n = 20_000
    const { data } = random.uniform(keyFromSeed(7), [n])
    const counts = row.map(() => 0)
    for (const token of draw(final, [...data])) counts[token]!++
    const expected = softmax(final).map((p) => p * n)
    const cells = expected.filter((e) => e > 0)
    const chi = expected.reduce((sum, e, i) => sum + (e > 0 ? (counts[i]! - e) ** 2 / e : 0), 0)
    counts.forEach((count, i) => {
      if (expected[i] === 0) expect(count).toBe(0)
    })
    // The 99.9 % quantile of chi-square with 5 degrees of freedom is 20.5, with fewer it is smaller.
    expect(cells.length).toBeGreaterThan(2)
    expect(chi).toBeLessThan(20.5)
  })
})
