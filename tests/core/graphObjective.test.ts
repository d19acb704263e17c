import "@tensorflow/tfjs-backend-cpu"
import {
  adamW,
  captureSync,
  defineTensorNode,
  frozenParams,
  type Graph,
  graph,
  initParams,
  keyFromSeed,
  objectiveOf,
  spec,
  tensor,
  trainStep,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { beforeAll, expect, test } from "vitest"
import { add, bias, loss, scale } from "./graphNodes.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const bd = tensor("float32", "b d")
const width = 3
const x = () => tf.tensor2d([1, -2, 3, 0.5, 5, -6], [2, width])

const paramsOf = (whole: Graph): Record<string, tf.Tensor> =>
  Object.fromEntries(
    Object.entries(initParams(objectiveOf(whole).paramSpecs, keyFromSeed(3))).map(([name, { data, shape }]) => [
      name,
      tf.tensor(data, [...shape]),
    ]),
  )

/** The gradient of the loss with respect to every parameter, frozen ones too. */
const gradients = (whole: Graph): Record<string, ReadonlyArray<number>> => {
  const { apply } = objectiveOf(whole)
  const params = paramsOf(whole)
  const names = Object.keys(params)
  const fn = (...tensors: ReadonlyArray<tf.Tensor>): tf.Tensor =>
    apply(Object.fromEntries(names.map((name, i) => [name, tensors[i]!])), { x: x() }).loss!
  const grads = tf.grads(fn)(names.map((name) => params[name]!))
  return Object.fromEntries(names.map((name, i) => [name, [...grads[i]!.dataSync()]]))
}

const chain = (frozen: boolean): Graph =>
  graph("chain", { x: bd })
    .node("first", bias({ width }), { x: "x" })
    .node("middle", bias({ width }), { x: "first" }, { frozen })
    .node("last", bias({ width }), { x: "middle" })
    .node("loss", loss({}), { x: "last" })
    .output("loss")

test("a frozen node's parameters get a gradient of exactly zero, and those before it get what they got", () => {
  const free = gradients(chain(false))
  const frozen = gradients(chain(true))
  expect(frozenParams(chain(true))).toEqual(["middle.gain", "middle.inner.0.bias"])
  for (const [name, gradient] of Object.entries(frozen)) {
    if (name.startsWith("middle.")) {
      expect(gradient).toEqual([0, 0, 0])
      expect(free[name]!.every((g) => g !== 0)).toBe(true)
    } else expect(gradient).toEqual(free[name])
  }
})

test("the trainable parameters and the frozen ones are all parameters, each once", () => {
  const whole = chain(true)
  const { paramSpecs, trainable } = objectiveOf(whole)
  expect([...trainable, ...frozenParams(whole)].sort()).toEqual(Object.keys(paramSpecs).sort())
  expect(objectiveOf(chain(false)).trainable).toEqual(Object.keys(paramSpecs))
})

const twice = (options: { frozen?: boolean }): Graph =>
  graph("twice", { x: bd })
    .node("own", bias({ width }), { x: "x" }, options)
    .node("same", bias({ width }), { x: "own" }, { shares: "own" })
    .node("loss", loss({}), { x: "same" })
    .output("loss")

test("nodes that share have their parameters once, and a gradient from each use", () => {
  expect(Object.keys(objectiveOf(twice({})).paramSpecs)).toEqual(["own.gain", "own.inner.0.bias"])
  // With the first use frozen, the parameters learn from the second alone.
  expect(frozenParams(twice({ frozen: true }))).toEqual([])
  const both = gradients(twice({}))
  const second = gradients(twice({ frozen: true }))
  expect(second["own.gain"]).not.toEqual(both["own.gain"])
  expect(second["own.gain"]!.every((g) => g !== 0)).toBe(true)
})

test("a frozen graph freezes everything in it, and its parameters have its name before theirs", () => {
  const inner = graph("inner", { x: bd })
    .node("a", bias({ width }), { x: "x" })
    .node("b", bias({ width }), { x: "a" })
    .output("b")
  const whole = graph("outer", { x: bd })
    .node("trained", inner, { x: "x" })
    .node("reference", inner, { x: "x" }, { frozen: true })
    .node("sum", add({}), { a: "trained", b: "reference" })
    .node("loss", loss({}), { x: "sum" })
    .output("loss")
  expect(objectiveOf(whole).trainable).toEqual([
    "trained.a.gain",
    "trained.a.inner.0.bias",
    "trained.b.gain",
    "trained.b.inner.0.bias",
  ])
  const grads = gradients(whole)
  for (const [name, gradient] of Object.entries(grads)) {
    expect(gradient.every((g) => g === 0)).toBe(name.startsWith("reference."))
  }
})

test("another node never changes how a parameter starts", () => {
  const more = graph("more", { x: bd })
    .node("before", bias({ width: 3 }), { x: "x" })
    .node("first", bias({ width }), { x: "before" })
    .node("loss", loss({}), { x: "first" })
    .output("loss")
  const start = (whole: Graph) => initParams(objectiveOf(whole).paramSpecs, keyFromSeed(3))["first.inner.0.bias"]
  expect(start(more)).toEqual(start(chain(false)))
})

test("what a node records, forward and backward, carries its path", () => {
  const inner = graph("inner", { x: bd }).node("deep", bias({ width }), { x: "x" }).output("deep")
  const whole = graph("outer", { x: bd })
    .node("nested", inner, { x: "x" })
    .node("loss", loss({}), { x: "nested" })
    .output("loss")
  const { paramSpecs, apply } = objectiveOf(whole)
  const params = Object.fromEntries(
    Object.entries(paramSpecs).map(([name, { shape }]) => [name, spec("float32", shape)]),
  )
  const program = captureSync({
    name: "gradient",
    state: { params },
    inputs: { x: spec("float32", [2, width]) },
    body: (state, inputs) => {
      const gradient = tf.grad((gain) => apply({ ...state.params, "nested.deep.gain": gain }, inputs).loss!)
      return { outputs: { gradient: gradient(state.params!["nested.deep.gain"]!) } }
    },
  })
  const paths = new Set(program.equations.map(({ path }) => path).filter((path) => path !== ""))
  expect(paths).toEqual(new Set(["nested > deep", "loss"]))
  const multiplies = program.equations.filter(({ op, path }) => op === "Multiply" && path === "nested > deep")
  expect(multiplies.length).toBeGreaterThan(1)
})

test("a captured training step updates the trainable parameters and no frozen one", () => {
  const objective = objectiveOf(chain(true))
  const step = trainStep(objective, {
    inputs: { x: spec("float32", [2, width]) },
    optimizer: adamW,
    schedule: { kind: "constant", peak: 1e-3, warmup: 0, floor: 1 },
    steps: 10,
    clip: 1,
  })
  const program = captureSync(step)
  const written = program.outputs.filter(({ slot }) => slot === "params" || slot === "frozen").map(({ name }) => name)
  expect(written.sort()).toEqual([...objective.trainable].sort())
  expect(written.some((name) => name.startsWith("middle."))).toBe(false)
})

test("a node that does not give what its ports say is found out", () => {
  const liar = defineTensorNode({
    type: "test.liar",
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({ in: { x: bd }, out: bd }),
    apply: (_config, _params, inputs) => tf.transpose(inputs.x),
  })
  const whole = graph("outer", { x: bd }).node("liar", liar({}), { x: "x" }).output("liar")
  expect(() => objectiveOf(whole).apply({}, { x: x() })).toThrowErrorMatchingInlineSnapshot(`
    [ShapeMismatch: ShapeMismatch in outer > liar
      expected  liar: axis b = 2 (bound by x)
                liar: axis d = 3 (bound by x)
      received  liar: axis b = 3 (bound by liar) from float32[3, 2]
                liar: axis d = 2 (bound by liar) from float32[3, 2]
      fix       give tensors of these types, or change the ports that the node declares]
  `)
  expect(() => objectiveOf(whole).apply({}, {})).toThrowErrorMatchingInlineSnapshot(`
    [ShapeMismatch: ShapeMismatch in outer
      expected  x: float32 [b d]
      received  x: nothing
      fix       give tensors of these types, or change the ports that the node declares]
  `)
})

test("a missing parameter is named", () => {
  expect(() => objectiveOf(chain(false)).apply({}, { x: x() })).toThrowErrorMatchingInlineSnapshot(`
    [BadConfig: BadConfig in chain
      expected  the parameter first.gain
      received  parameters 
      fix       start from initParams(objective.paramSpecs, key), or from weights of the same graph]
  `)
})

test("the type of a graph's outputs is that of its wires", () => {
  const whole = graph("g", { x: bd })
    .node("twice", scale({ factor: 2 }), { x: "x" })
    .output({ doubled: "twice", same: "x" })
  const { doubled, same } = objectiveOf(whole).apply({}, { x: x() })
  expect([...doubled!.dataSync()]).toEqual([2, -4, 6, 1, 10, -12])
  expect([...same!.dataSync()]).toEqual([...x().dataSync()])
})
