/** Parameters with a largest value, and parameters that are measured and never learnt. */
import {
  adamW,
  defineTensorNode,
  float32,
  frozenNames,
  frozenParams,
  graph,
  initOptimizer,
  initParams,
  keyFromSeed,
  normal,
  objectiveOf,
  spec,
  type TrainStepConfig,
  tensor,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { describe, expect, test } from "vitest"
import { runner, stepper } from "./training.js"

const max = 1.25
/** Σ direction · (capped + free) / scale: every step moves both against the sign of the direction. */
const pull = defineTensorNode({
  type: "pull",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({ in: { direction: tensor("float32", "d") }, out: tensor("float32", "") }),
  params: () => ({
    capped: { shape: [3], init: { kind: "uniform", low: 1, high: 1.2 } as const, max },
    free: { shape: [3], init: normal(1) },
    scale: { shape: [3], init: { kind: "uniform", low: 2, high: 3 } as const, learns: false },
  }),
  apply: (_, { capped, free, scale }, { direction }) => tf.sum(tf.div(tf.mul(direction, tf.add(capped, free)), scale)),
})

const whole = graph("pulled", { direction: tensor("float32", "d") })
  .node("node", pull({}), { direction: "direction" })
  .output({ loss: "node" })
const objective = objectiveOf(whole)
const config = {
  inputs: { direction: spec("float32", [3]) },
  optimizer: { ...adamW, weightDecay: 0 },
  schedule: { kind: "constant", peak: 0.2, warmup: 0, floor: 1 },
  steps: 4,
  clip: 100,
} as const satisfies TrainStepConfig
const initial = initParams(objective.paramSpecs, keyFromSeed(1))
const toward = (...direction: ReadonlyArray<number>) => ({ direction: float32([3], direction) })
const batches = [toward(-1, -1, 1), toward(-1, -1, 1), toward(9, -1, 1)]

describe.each(["onnx", "tfjs:cpu"])("%s", (name) => {
  const run = runner(name)
  const steps = () => run(Effect.flatMap(stepper(objective, config), (step) => step(initial, batches)))

  test("no step leaves a parameter above its largest value, and what stays below moves freely", async () => {
    const [first, second] = await steps()
    // A first step of Adam is the learning rate, against the sign of the gradient.
    const start = initial["node.capped"]!.data
    expect([...first!.params["node.capped"]!.data]).toEqual([max, max, expect.closeTo(start[2]! - 0.2, 5)])
    expect([...second!.params["node.capped"]!.data].slice(0, 2)).toEqual([max, max])
    const free = initial["node.free"]!.data
    expect(first!.params["node.free"]!.data[0]).toBeCloseTo(free[0]! + 0.2, 5)
  })

  test("at its largest value a parameter keeps its gradient, and leaves when it is pulled down", async () => {
    const [first, second, third] = await steps()
    const scale = initial["node.scale"]!.data[0]!
    // The first moment is the mean of the gradients −1, −1, 9, over scale.
    expect(first!.optimizer["first.node.capped"]!.data[0]).toBeCloseTo(-0.1 / scale, 6)
    expect(second!.optimizer["first.node.capped"]!.data[0]).toBeCloseTo(-0.19 / scale, 6)
    expect(third!.optimizer["first.node.capped"]!.data[0]).toBeCloseTo((-0.171 + 0.9) / scale, 5)
    expect(third!.params["node.capped"]!.data[0]).toBeLessThan(max)
  })

  test("a parameter that never learns stays as it is, bit for bit", async () => {
    const left = await steps()
    expect(left.at(-1)!.frozen).toEqual({ "node.scale": initial["node.scale"] })
  })
})

test("a parameter that never learns is named among the frozen ones and has no moments", () => {
  expect(frozenParams(whole)).toEqual(["node.scale"])
  expect(frozenNames(objective)).toEqual(["node.scale"])
  expect(Object.keys(initOptimizer(objective)).filter((name) => name.includes("scale"))).toEqual([])
})

test("a frozen node's parameters that never learn are named once", () => {
  const frozen = graph("frozen", { direction: tensor("float32", "d") })
    .node("node", pull({}), { direction: "direction" }, { frozen: true })
    .output({ loss: "node" })
  expect(frozenParams(frozen)).toEqual(["node.capped", "node.free", "node.scale"])
})
