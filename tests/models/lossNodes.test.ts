import {
  BadConfig,
  Engine,
  Engines,
  float32,
  graph,
  type HostTensor,
  type HostTensors,
  int32,
  isPort,
  type Specs,
  spec,
  type TensorFunction,
  type TensorNode,
  tensor,
} from "@millrace/core"
import { credit, kl, loss } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"

/** Every loss node, with each option on somewhere. */
const nodes: ReadonlyArray<TensorNode> = [
  loss.sft({ normaliser: "token-mean" }),
  loss.sft({ normaliser: "sequence-mean" }),
  loss.sft({ normaliser: "sequence-sum" }),
  loss.ranking({ divisor: "pairs-left" }),
  loss.ranking({ divisor: "choose-k", margin: 0.5, centering: 0.01 }),
  loss.ppo({ clip: 0.2, valueClip: 0.2, valueCoefficient: 0.1, normaliser: "token-mean" }),
  loss.ppo({
    clip: { low: 0.2, high: 0.3 },
    valueCoefficient: 1,
    normaliser: "sequence-mean",
    dualClip: 3,
    logRatioClamp: 20,
  }),
  loss.ptx({ coefficient: 27.8 }),
  kl.exact({}),
  kl.entropy({}),
  kl.estimate({ estimator: "k1" }),
  kl.estimate({ estimator: "k2", clamp: 10 }),
  kl.estimate({ estimator: "k3" }),
  credit.rewards({ placement: "last-token", estimator: "k1" }),
  credit.rewards({ placement: "fixed-end", estimator: "k3", klClamp: 10 }),
  credit.rewards({ placement: "after-last", estimator: "k1" }),
  credit.advantages({ discount: 1, lambda: 0.95 }),
  credit.whiten({ shiftMean: true, variance: "unbiased" }),
  credit.whiten({ shiftMean: false, variance: "biased", epsilon: 1e-6 }),
]

const sizes: Readonly<Record<string, number>> = { b: 2, t: 4, v: 5, k: 4 }
const padded = [1, 1, 1, 0, 1, 1, 1, 1]

/** Inputs of a node: no symmetry, no kink, and what the mask hides is as given. */
const example = (node: TensorNode, hidden: number): HostTensors =>
  Object.fromEntries(
    Object.entries(node.in).map(([name, port], p): [string, HostTensor] => {
      const shape = port.axes
        .split(" ")
        .filter((axis) => axis !== "")
        .map((axis) => sizes[axis]!)
      const size = shape.reduce((n, d) => n * d, 1)
      if (port.unit === "mask") return [name, float32(shape, padded)]
      const masked = shape.length >= 2
      const hides = (i: number) => masked && padded[Math.floor((i * 8) / size)] === 0
      if (port.dtype === "int32")
        return [
          name,
          int32(
            shape,
            Array.from({ length: size }, (_, i) => (hides(i) ? -7 : (3 * i) % 5)),
          ),
        ]
      return [
        name,
        float32(
          shape,
          Array.from({ length: size }, (_, i) => (hides(i) ? hidden : Math.sin(1 + 2.3 * i + 1.7 * p))),
        ),
      ]
    }),
  )

/** A node's outputs, and the gradients of their weighed sum. */
const withGradients = (node: TensorNode): TensorFunction => {
  const inputs: Specs = Object.fromEntries(
    Object.entries(example(node, 0)).map(([name, { dtype, shape }]) => [name, spec(dtype, shape)]),
  )
  const learns = Object.keys(node.in).filter(
    (name) =>
      node.in[name]!.dtype === "float32" && !["mask", "preference", "old"].some((fixed) => name.startsWith(fixed)),
  )
  const outputsOf = (given: Readonly<Record<string, tf.Tensor>>): Readonly<Record<string, tf.Tensor>> => {
    const made = node.apply({}, given) as tf.Tensor | Readonly<Record<string, tf.Tensor>>
    return isPort(node.out) ? { out: made as tf.Tensor } : (made as Readonly<Record<string, tf.Tensor>>)
  }
  const reported = isPort(node.out)
    ? ["out"]
    : Object.keys(node.out).filter((name) => !/fraction|mask|approx/i.test(name))
  return {
    name: node.type,
    state: {},
    inputs,
    body: (_, given) => {
      const { value, grads } = tf.valueAndGrads((...x) => {
        const outputs = outputsOf({ ...given, ...Object.fromEntries(learns.map((name, i) => [name, x[i]!])) })
        const weighed = reported.map((name) => {
          const each = outputs[name]!
          return tf.sum(tf.mul(each, tf.cos(tf.reshape(tf.range(0, each.size, 1), each.shape))))
        })
        return tf.addN(weighed) as tf.Scalar
      })(learns.map((name) => given[name]!))
      return {
        outputs: {
          ...outputsOf(given),
          value,
          ...Object.fromEntries(grads.map((g, i) => [`gradient of ${learns[i]}`, g])),
        },
      }
    },
  }
}

const eagerly = (fn: TensorFunction, inputs: HostTensors): Readonly<Record<string, ReadonlyArray<number>>> =>
  tf.tidy(() => {
    const given = Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)]),
    )
    const { outputs } = fn.body({}, given)
    return Object.fromEntries(Object.entries(outputs).map(([name, x]) => [name, Array.from(x.dataSync())]))
  })

describe("a loss node, with its gradients, captured and run by onnxruntime", () => {
  test("agrees with tfjs on the cpu, and lets no masked NaN through, for every node and option", {
    timeout: 120_000,
  }, async () => {
    const run = Effect.gen(function* () {
      const engine = yield* Engine
      for (const node of nodes) {
        const fn = withGradients(node)
        const executable = yield* engine.compile(fn)
        const wanted = eagerly(fn, example(node, 0.25))
        const hidden = yield* executable.run({ inputs: example(node, Number.NaN) })
        for (const [name, expected] of Object.entries(wanted)) {
          const got = Array.from(hidden[name]!.data)
          const far = expected.map((x, i) => Math.abs(x - got[i]!) <= 2e-5 * Math.max(1, Math.abs(x)))
          expect({ node: node.type, config: node.config, name, got, expected, near: far.every(Boolean) }).toMatchObject(
            { near: true },
          )
        }
      }
    })
    await Effect.runPromise(Effect.scoped(Effect.provide(run, Engines.layer("onnx", { threads: 1 }))))
  })
})

describe("the config of a loss node", () => {
  test("refuses a convention that nobody named, and says which exist", () => {
    const wrong = loss.sft.decode({ normaliser: "tokens" }, "recipe > sft")
    const error = Effect.runSync(Effect.flip(wrong))
    expect(error).toBeInstanceOf(BadConfig)
    expect(error.message).toContain("recipe > sft > loss.sft@1")
    expect(error.message).toContain("token-mean")
  })

  test("refuses a mistyped key", () => {
    const wrong = credit.advantages.decode({ discount: 1, lamda: 0.95 }, "recipe")
    expect(Effect.runSync(Effect.flip(wrong)).message).toContain("lamda")
  })

  test.each([
    ["a discount above 1", credit.advantages.decode({ discount: 1.1, lambda: 0.95 }, "recipe")],
    ["a clip range of 0", loss.ppo.decode({ clip: 0, valueCoefficient: 1, normaliser: "token-mean" }, "recipe")],
    [
      "a dual clip below 1",
      loss.ppo.decode({ clip: 0.2, dualClip: 0.5, valueCoefficient: 1, normaliser: "token-mean" }, "recipe"),
    ],
  ])("refuses %s", (_, wrong) => {
    expect(Effect.runSync(Effect.flip(wrong as Effect.Effect<unknown, BadConfig>))).toBeInstanceOf(BadConfig)
  })
})

test("scores become rewards, rewards advantages, and advantages a loss, by wires that fit", () => {
  const rollouts = graph("credit", {
    score: tensor("float32", "b", "reward"),
    logProb: tensor("float32", "b t", "log-prob"),
    reference: tensor("float32", "b t", "log-prob"),
    values: tensor("float32", "b t", "value"),
    mask: tensor("float32", "b t", "mask"),
    beta: tensor("float32", "", "reward per nat"),
  })
    .node("rewards", credit.rewards({ placement: "last-token", estimator: "k1" }), {
      score: "score",
      logProb: "logProb",
      reference: "reference",
      mask: "mask",
      beta: "beta",
    })
    .node("gae", credit.advantages({ discount: 1, lambda: 0.95 }), {
      rewards: "rewards.rewards",
      values: "values",
      mask: "rewards.mask",
    })
    .node("white", credit.whiten({ shiftMean: true, variance: "unbiased" }), {
      advantages: "gae.advantages",
      mask: "mask",
    })
    .node("ppo", loss.ppo({ clip: 0.2, valueClip: 0.2, valueCoefficient: 0.1, normaliser: "token-mean" }), {
      logProb: "logProb",
      oldLogProb: "logProb",
      advantages: "white",
      values: "values",
      oldValues: "values",
      returns: "gae.returns",
      mask: "mask",
    })
    .output({ loss: "ppo.loss" })
  expect(Object.keys(rollouts.outputs)).toEqual(["loss"])
})
