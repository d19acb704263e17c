/** Axes under other names: one node, or one set of parameters, used with two sizes. */
import "@tensorflow/tfjs-backend-cpu"
import {
  artifact,
  decodeGraph,
  defineTensorNode,
  encodeGraph,
  graph,
  graphHash,
  initParams,
  keyFromSeed,
  objectiveOf,
  replaceNode,
  resolveSizes,
  tensor,
  toMermaid,
  toSvg,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { beforeAll, expect, test } from "vitest"
import { bias, extremes, heads, loss, scale, shout, text, types } from "./graphNodes.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const bd = tensor("float32", "b d")
const nd = tensor("float32", "n d")
const start = () => graph("model", { x: bd, y: nd }).node("first", bias({ width: 3 }), { x: "x" })
const twice = () =>
  start()
    .node("again", bias({ width: 3 }), { x: "y" }, { shares: "first", axes: { b: "n" } })
    .output("first", "again")

const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return "nothing was thrown"
}

test("one node with one set of parameters takes two batches of different size", () => {
  const whole = twice()
  const { inputs, outputs } = resolveSizes(whole, { b: 2, n: 5 })
  expect(inputs).toMatchObject({ x: { shape: [2, 3] }, y: { shape: [5, 3] } })
  expect(outputs).toMatchObject({ first: { shape: [2, 3] }, again: { shape: [5, 3] } })
  const { paramSpecs, apply } = objectiveOf(whole)
  expect(Object.keys(paramSpecs)).toEqual(["first.gain", "first.inner.0.bias"])
  const params = Object.fromEntries(
    Object.entries(initParams(paramSpecs, keyFromSeed(1))).map(([name, { data, shape }]) => [
      name,
      tf.tensor(data, [...shape]),
    ]),
  )
  const y = tf.tensor2d(
    Array.from({ length: 15 }, (_, i) => i - 7),
    [5, 3],
  )
  const { first, again } = apply(params, { x: tf.slice(y, 1, 2), y })
  expect([...tf.slice(again!, 1, 2).dataSync()]).toEqual([...first!.dataSync()])
  expect(again!.shape).toEqual([5, 3])
})

test("without other names the two batches are one axis, and the error gives the names", () => {
  const wrong = () =>
    start()
      .node("again", bias({ width: 3 }), { x: "y" as never }, { shares: "first" })
      .output("again")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "ShapeMismatch in model > again > x
      expected  float32 [b d]
      received  float32 [n d] from "y"
      fix       wire "x" or "first"; or rename the node's axes, { axes: { b: "n" } }"
  `)
  const elsewhere = () =>
    graph("model", { y: nd, z: tensor("float32", "n d", "loss") })
      .node("again", bias({ width: 3 }), { x: "y" as never }, {})
      .node("other", bias({ width: 3 }), { x: "z" as never }, {})
      .output("again")
  expect(messageOf(elsewhere)).toMatchInlineSnapshot(`
    "ShapeMismatch in model
      expected  again > x: float32 [b d]
                other > x: float32 [b d]
      received  again > x: float32 [n d] from "y"
                other > x: float32 [n d] loss from "z"
      fix       again > x: no wire carries it: rename the node's axes, { axes: { b: "n" } }
                other > x: wire "again""
  `)
})

test("the names that the error proposes are enough", () => {
  const fixed = graph("model", { y: tensor("float32", "n k") })
    .node("again", bias({ width: 3 }), { x: "y" }, { axes: { b: "n", d: "k" } })
    .output("again")
  expect(fixed.out).toMatchObject({ axes: "n k" })
  const wrong = () =>
    graph("model", { y: tensor("float32", "n k") })
      .node("again", bias({ width: 3 }), { x: "y" as never })
      .output("again")
  expect(messageOf(wrong)).toContain('{ axes: { b: "n", d: "k" } }')
})

test("every name that does not fit is told, with the remedy", () => {
  const wrong = () =>
    start()
      .node("typo", scale({ factor: 1 }), { x: "y" } as never, { axes: { bb: "n" } })
      .node("merged", scale({ factor: 1 }), { x: "y" } as never, { axes: { b: "n", d: "n" } })
      .node("clash", scale({ factor: 1 }), { x: "y" } as never, { axes: { b: "d" } })
      .node("number", scale({ factor: 1 }), { x: "y" } as never, { axes: { b: "3" } })
      .output("typo")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "BadConfig in model
      expected  typo: axes of the node: b, d
                merged: a name of its own for every axis of the node
                clash: a name of its own for every axis of the node
                number: names of lower-case letters and digits, that begin with a letter
      received  typo: a new name for "bb"
                merged: "b" renamed to "n", "d" too
                merged: "d" renamed to "n", "b" too
                clash: "b" renamed to "d", which is another of its axes
                number: "b" renamed to "3"
      fix       typo: did you mean "b"?
                merged: give "b" and "d" two names
                merged: give "d" and "b" two names
                clash: choose another name for "b", or rename "d" as well
                number: choose a name such as n"
  `)
  const stages = () =>
    graph("stages", { text: artifact(text) })
      .node("loud", shout({ times: 1 }), { text: "text" } as never, { axes: { b: "n" } })
      .output("loud")
  expect(messageOf(stages)).toMatchInlineSnapshot(`
    "BadConfig in stages > loud
      expected  no axes to rename
      received  a new name for "b"
      fix       remove the option axes"
  `)
})

test("sizes are told under the names of the graph, and factors of products have names too", () => {
  const wrong = () =>
    graph("model", { x: tensor("float32", "n k") })
      .node("first", bias({ width: 4 }), { x: "x" }, { axes: { b: "n", d: "k" } })
      .node("second", bias({ width: 8 }), { x: "first" }, { axes: { b: "n", d: "k" } })
      .output("second")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "ShapeMismatch in model > second > x
      expected  axis k = 8 (bound by second's config)
      received  axis k = 4 (bound by first's config) from "first"
      fix       change second's config or first's config"
  `)
  const whole = graph("model", { x: bd })
    .node("heads", heads({ heads: 2, width: 4 }), { x: "x" }, { axes: { h: "k", e: "f" } })
    .output("heads")
  expect(whole.out).toMatchObject({ axes: "b (k f)" })
  expect(resolveSizes(whole, { b: 1, d: 8 }).outputs).toMatchObject({ heads: { shape: [1, 8] } })
})

test("a nested graph's axes are renamed where it is wired, and keep their names inside", () => {
  const inner = graph("inner", { x: bd }, { sizes: { b: 2 } })
    .node("parts", extremes({}), { x: "x" })
    .output("parts.high")
  const outer = graph("outer", { x: bd, y: nd })
    .node("first", inner, { x: "x" })
    .node("again", inner, { x: "y" }, { axes: { b: "n" } })
    .output("first", "again")
  expect(outer.out.again.axes).toBe("n d")
  expect(resolveSizes(outer, { d: 4 }).ports).toMatchObject({
    y: { shape: [2, 4] },
    "again > x": { shape: [2, 4] },
    "again > parts.low": { shape: [2, 4] },
  })
  expect(messageOf(() => resolveSizes(outer, { n: 3 }))).toMatchInlineSnapshot(`
    "ShapeMismatch in outer > again > x
      expected  axis n = 2 (bound by the sizes of again)
      received  axis n = 3 (bound by the sizes given) from "y"
      fix       change the sizes of again or the sizes given"
  `)
})

test("a file keeps the names, and names that change nothing are not in it", () => {
  const json = encodeGraph(twice())
  expect(json.nodes[1]).toMatchObject({ axes: { b: "n" } })
  const again = Effect.runSync(decodeGraph(JSON.parse(JSON.stringify(json)), types))
  expect(graphHash(again)).toBe(graphHash(twice()))
  expect(again.out).toEqual(twice().out)
  const same = start()
    .node("again", bias({ width: 3 }), { x: "first" }, { axes: { b: "b" } })
    .output("again")
  const none = start()
    .node("again", bias({ width: 3 }), { x: "first" })
    .output("again")
  expect(encodeGraph(same)).toEqual(encodeGraph(none))
})

test("the picture shows the port under its name in the graph, and what was renamed", () => {
  expect(toMermaid(twice())).toContain('["<b>again</b><br/>test.bias@1<br/>shares first<br/>axes b → n"]')
  expect(toMermaid(twice())).toContain('-- "float32 [n d]" -->')
  expect(toSvg(twice())).toContain(">shares first · axes b → n</text>")
})

test("a value of the wrong size is told under the names of the graph", () => {
  const whole = graph("model", { y: nd })
    .node("scaled", scale({ factor: 2 }), { x: "y" }, { axes: { b: "n" } })
    .output("scaled")
  expect(messageOf(() => objectiveOf(whole).apply({}, { y: tf.zeros([2]) }))).toContain("float32 [n d]")
})

test("a node that takes another's place keeps the names of the axes that it has", () => {
  const whole = graph("model", { x: bd, y: nd })
    .node("heads", heads({ heads: 1, width: 3 }), { x: "y" }, { axes: { b: "n", h: "k" } })
    .output("heads")
  const swapped = replaceNode(whole, "heads", heads({ heads: 3, width: 1 }))
  expect(swapped.nodes[0]).toMatchObject({ axes: { b: "n", h: "k" }, wires: { x: "y" } })
  const zero = defineTensorNode({
    type: "test.zero",
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({ in: {}, out: tensor("float32", "") }),
    apply: () => tf.scalar(0),
  })
  const rated = graph("model", { y: nd })
    .node("loss", loss({}), { x: "y" }, { axes: { b: "n" } })
    .output("loss")
  expect(replaceNode(rated, "loss", zero({})).nodes[0]).toMatchObject({ axes: {}, wires: {} })
})
