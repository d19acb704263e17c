/** The kit itself: what `checkLaws` says, what arbitraries contain, what general laws ask of a subject. */
import { BadConfig, defineTensorNode, LawBroken, tensor } from "@millrace/core"
import {
  brokenLaws,
  checkLaws,
  convex,
  distributions,
  embeddings,
  finite,
  gradientMatchesFiniteDifferences,
  images,
  law,
  logits,
  masks,
  nodeLaws,
  permutationInvariant,
  rankings,
  real,
  rows,
  shiftInvariant,
  type TensorSubject,
  tokens,
} from "@millrace/core/laws"
import { rankingLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import "./backend.js"
import { pairwise } from "./mutants/ranking.js"

const subject = (apply: TensorSubject["apply"]): TensorSubject => ({
  name: "mine",
  in: { rewards: tensor("float32", "b k", "reward"), preference: tensor("float32", "b k", "preference") },
  out: tensor("float32", "", "nat"),
  ranges: { k: [2, 4] },
  apply,
})

const thrown = (run: () => void): Error => {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error("nothing was thrown")
}

describe("checkLaws", () => {
  const spread = subject(({ rewards }) => tf.mean(tf.square(tf.sub(rewards!, tf.mean(rewards!)))))

  test("says nothing where every law holds", () => {
    checkLaws(spread, [shiftInvariant("rewards"), permutationInvariant("k"), convex("rewards")])
  })

  test("throws one error with each broken law, its smallest counterexample and what replays it", () => {
    const squares = subject(({ rewards }) => tf.sum(tf.mul(rewards!, tf.square(rewards!))))
    const all = [shiftInvariant("rewards"), permutationInvariant("k"), convex("rewards")]
    const error = thrown(() => checkLaws(squares, all, { seed: 7, runs: 50 }))
    expect(error).toBeInstanceOf(LawBroken)
    expect(error.message).toMatchInlineSnapshot(`
      "LawBroken in mine
        expected  3 laws to hold
        received  2 broken
                  adding a constant to rewards changes nothing
                    at [b=1  k=2  rewards [[0, 0]]  preference [[0, 1]],[1,0,0,0,0,0,0,0]]
                    expected [0]
                    received [2]
                  the result is convex in rewards
                    at [b=3  k=3  rewards [[1, 1, -1], [-1, -1, 0], [-1, -1, 0]]  preference [[1, 2, 0], [0, 1, 2], [1, 0, 2]],{"rewards":[0,0,0,0,0,0,0,0,0]}]
                    -0.375 in the middle is above -1.5
        fix       mend the function, or leave out a law that it is not meant to obey
        replay    checkLaws(…, { seed: 7, runs: 50 }), or FC_SEED=7"
    `)
    expect(thrown(() => checkLaws(squares, all, { seed: 7, runs: 50 })).message).toBe(error.message)
  })

  test("takes sets of laws of functions by a name", () => {
    const flipped = rankingLaws(pairwise(tf.softplus))
    expect(thrown(() => checkLaws("flipped", flipped)).message).toContain("LawBroken in flipped")
    expect(brokenLaws("flipped", flipped)).toContain("raising the best answer never raises the loss")
  })

  test("a law about a port or an axis that is not there is refused, with what there is", () => {
    expect(() => checkLaws(spread, [shiftInvariant("reward")])).toThrow(BadConfig)
    expect(() => checkLaws(spread, [shiftInvariant("rewards", "t")])).toThrow("rewards: float32 [b k] reward")
  })

  test("a law whose every example is refused counts as untried, not as held", () => {
    const never = law("never", real(), () => fc.pre(false))
    expect(never.trial({ runs: 5 })).toMatchObject({ runs: 0, counterexample: null })
  })
})

describe("arbitraries", () => {
  const drawn = (arbitrary: fc.Arbitrary<Array<number>>) => fc.sample(arbitrary, { seed: 1, numRuns: 300 })
  const ones = (x: ReadonlyArray<number>): number => x.filter((v) => v === 1).length

  test("logits contain ties and ±1e4", () => {
    const all = drawn(logits([2, 3]))
    expect(all.some((x) => new Set(x).size === 1)).toBe(true)
    expect(all.some((x) => x.includes(1e4) && x.includes(-1e4))).toBe(true)
  })

  test("distributions sum to 1 in float32, and contain uniform and certain ones", () => {
    const all = drawn(distributions([2, 4]))
    for (const x of all) for (const row of rows(x, 4)) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6)
    expect(all.some((x) => new Set(x).size === 1)).toBe(true)
    expect(all.some((x) => ones(x) === 2)).toBe(true)
  })

  test("masks always keep something, and contain all, all but one, and padding on the right", () => {
    const all = drawn(masks([2, 3]))
    expect(all.every((x) => ones(x) > 0)).toBe(true)
    expect(all.some((x) => ones(x) === 1)).toBe(true)
    expect(all.some((x) => ones(x) === 6)).toBe(true)
    expect(all.some((x) => x.join() === "1,1,0,1,0,0")).toBe(true)
  })

  test("rankings contain strict ones and ties", () => {
    const all = drawn(rankings([1, 4]))
    expect(all.some((x) => new Set(x).size === 4)).toBe(true)
    expect(all.some((x) => new Set(x).size === 1)).toBe(true)
  })

  test("embeddings are never 0, and images and tokens stay in their range", () => {
    expect(drawn(embeddings([2, 3])).every((x) => rows(x, 3).every((row) => Math.hypot(...row) > 0.1))).toBe(true)
    expect(drawn(images([1, 2, 2, 3], [0, 1])).every((x) => x.every((v) => v >= 0 && v <= 1))).toBe(true)
    expect(drawn(tokens([1, 4], 5)).every((x) => x.every((v) => v >= 0 && v < 5))).toBe(true)
    expect(drawn(tokens([1, 4], 5)).some((x) => x.includes(4))).toBe(true)
  })
})

describe("the laws that ports imply", () => {
  const node = (apply: (x: tf.Tensor, w: tf.Tensor) => tf.Tensor, unit: "" | "[0,1]" = "") =>
    defineTensorNode({
      type: "kit.node",
      version: 1,
      config: Schema.Struct({}),
      ports: () => ({ in: { x: tensor("float32", "b d") }, out: tensor("float32", "b d", unit), sizes: { d: 3 } }),
      params: () => ({ weight: { shape: [3], init: { kind: "ones" } as const } }),
      apply: (_, { weight }, { x }) => apply(x, weight),
    })({})

  const brokenBy = async (each: ReturnType<typeof node>): Promise<ReadonlyArray<string>> =>
    (await nodeLaws(each)).universal.filter((one) => !one.holds({ seed: 2, runs: 40 })).map(({ name }) => name)

  test("a plain node breaks none", async () => {
    expect(await brokenBy(node((x, w) => tf.tanh(tf.mul(x, w))))).toEqual([])
  })

  test("a wrong gradient by a parameter is found, not by an input alone", async () => {
    const wrong = tf.customGrad((x, w) => ({
      value: tf.mul(x as tf.Tensor, w as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => [tf.mul(dy, w as tf.Tensor), tf.zerosLike(w as tf.Tensor)],
    }))
    expect(await brokenBy(node((x, w) => wrong(x, w)))).toEqual(["gradients are the slopes of central differences"])
  })

  test("a kink is no wrong gradient", async () => {
    expect(await brokenBy(node((x, w) => tf.abs(tf.relu(tf.mul(x, w)))))).toEqual([])
  })

  test("a node that normalises over its batch acts on other rows", async () => {
    const found = await brokenBy(node((x, w) => tf.mul(w, tf.sub(x, tf.mean(x, 0, true)))))
    expect(found).toEqual(["a row along b gives alone what it gives among others"])
  })

  test("a result beyond the range of its unit, and one that is not finite", async () => {
    expect(await brokenBy(node((x, w) => tf.mul(x, w), "[0,1]"))).toEqual(["outputs are what their ports say"])
    expect(await brokenBy(node((x, w) => tf.div(w, tf.square(x))))).toContain("every result is finite")
  })

  test("a subject without any continuous input has no law of gradients", async () => {
    const ids = { name: "ids", in: { x: tensor("int32", "b t", "token") }, out: tensor("int32", "b t", "token") }
    const identity: TensorSubject = { ...ids, apply: ({ x }) => tf.add(x!, tf.scalar(0, "int32")) }
    checkLaws(identity, [finite()])
    expect(gradientMatchesFiniteDifferences()(identity).trial({ runs: 5 })).toMatchObject({
      runs: 0,
      counterexample: null,
    })
  })
})
