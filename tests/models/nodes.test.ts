import "@tensorflow/tfjs-backend-cpu"
import { flatten, graph, initParams, isParamSpec, keyFromSeed, objectiveOf, tensor } from "@millrace/core"
import { type GptConfig, gpt, gptParams, logProbs, reward, rewardParams, value, valueParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { beforeAll, describe, expect, test } from "vitest"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const config: GptConfig = { vocab: 9, context: 5, width: 4, layers: 1, heads: 2 }
const tokens = tensor("int32", "b t", "token")
const mask = tensor("float32", "b t", "mask")

const names = (specs: Parameters<typeof flatten>[0], prefix: string): Array<string> =>
  Object.keys(flatten(specs, isParamSpec)).map((name) => `${prefix}.${name}`)

const apply = (
  of: ReturnType<typeof objectiveOf>,
  inputs: Record<string, () => tf.Tensor>,
): Record<string, Array<number>> =>
  tf.tidy(() => {
    const params = Object.fromEntries(
      Object.entries(initParams(of.paramSpecs, keyFromSeed(1))).map(([name, { shape, data }]) => [
        name,
        tf.tensor(data, [...shape]),
      ]),
    )
    const made = of.apply(params, Object.fromEntries(Object.entries(inputs).map(([name, make]) => [name, make()])))
    return Object.fromEntries(Object.entries(made).map(([name, x]) => [name, [...x.dataSync()]]))
  })

const ids = (shape: Array<number>) => () =>
  tf.tensor(
    Int32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => (i * 5 + (i >> 3) + 2) % 9),
    shape,
    "int32",
  )
const ones = (shape: Array<number>) => () => tf.ones(shape)

describe("nodes", () => {
  test("carry their parameters under the node's name", () => {
    const objective = objectiveOf(
      graph("all", { tokens, mask })
        .node("logits", gpt.logits(config), { tokens: "tokens" })
        .node("score", reward.score(config), { tokens: "tokens", mask: "mask" })
        .node("values", value.values(config), { tokens: "tokens", mask: "mask" })
        .output("logits", "score", "values"),
    )
    expect(Object.keys(objective.paramSpecs).sort()).toEqual(
      [
        ...names(gptParams(config), "logits"),
        ...names(rewardParams(config), "score"),
        ...names(valueParams(config), "values"),
      ].sort(),
    )
  })

  test("log-probabilities of the logits are at most 0, and 0 for the first token", () => {
    const objective = objectiveOf(
      graph("scored", { tokens, mask })
        .node("logits", gpt.logits(config), { tokens: "tokens" })
        .node("plain", logProbs.of({}), { logits: "logits", tokens: "tokens" })
        .node("masked", logProbs.masked({}), { logits: "logits", tokens: "tokens", mask: "mask" })
        .output("plain", "masked"),
    )
    const { plain, masked } = apply(objective, { tokens: ids([2, 4]), mask: ones([2, 4]) })
    expect(plain).toHaveLength(8)
    plain!.forEach((v, i) => {
      if (i % 4 === 0) expect(v).toBe(0)
      else expect(v).toBeLessThan(0)
    })
    expect(masked).toEqual(plain)
  })

  test("a mask of ones gives the logits of no mask", () => {
    const plain = objectiveOf(
      graph("plain", { tokens }).node("policy", gpt.logits(config), { tokens: "tokens" }).output({ logits: "policy" }),
    )
    const masked = objectiveOf(
      graph("masked", { tokens, mask })
        .node("policy", gpt.maskedLogits(config), { tokens: "tokens", mask: "mask" })
        .output({ logits: "policy" }),
    )
    const [a, b] = [apply(plain, { tokens: ids([2, 4]) }), apply(masked, { tokens: ids([2, 4]), mask: ones([2, 4]) })]
    expect(a.logits).toHaveLength(2 * 4 * 9)
    expect(b).toEqual(a)
  })

  test("k candidates a prompt are scored as k texts", () => {
    const one = objectiveOf(
      graph("one", { tokens, mask })
        .node("reward", reward.score(config), { tokens: "tokens", mask: "mask" })
        .output({ scores: "reward" }),
    )
    const many = objectiveOf(
      graph("many", { tokens: tensor("int32", "b k t", "token"), mask: tensor("float32", "b k t", "mask") })
        .node("reward", reward.scores(config), { tokens: "tokens", mask: "mask" })
        .output({ scores: "reward" }),
    )
    const flat = apply(one, { tokens: ids([6, 3]), mask: ones([6, 3]) })
    const nested = apply(many, { tokens: ids([2, 3, 3]), mask: ones([2, 3, 3]) })
    expect(nested.scores).toEqual(flat.scores)
    expect(new Set(flat.scores).size).toBe(6)
  })
})
