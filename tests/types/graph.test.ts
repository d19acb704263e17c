/** The compiler's part: each `@ts-expect-error` marks a graph that must not compile, and `tsc -b` checks that it does not. */
import {
  artifact,
  artifactKind,
  defineStageNode,
  defineTensorNode,
  graph,
  type NodePortsOf,
  replaceNode,
  type TensorPort,
  tensor,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { expect, expectTypeOf, test } from "vitest"

const embed = defineTensorNode({
  type: "test.embed",
  version: 1,
  config: Schema.Struct({ vocabulary: Schema.Int, width: Schema.Int }),
  ports: ({ vocabulary, width }) => ({
    in: { tokens: tensor("int32", "b t", "token") },
    out: tensor("float32", "b t d"),
    sizes: { v: vocabulary, d: width },
  }),
  params: ({ vocabulary, width }) => ({ table: { shape: [vocabulary, width], init: { kind: "normal", std: 0.02 } } }),
  apply: (_, { table }, { tokens }) => tf.gather(table, tokens.toInt()),
})({ vocabulary: 8, width: 4 })

const split = defineTensorNode({
  type: "test.split",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({
    in: { x: tensor("float32", "b t d") },
    out: { mean: tensor("float32", "b t"), total: tensor("float32", "b", "sum") },
  }),
  apply: (_config, _params, { x }) => ({ mean: tf.mean(x, -1), total: tf.sum(x, [1, 2]) }),
})({})

const decode = defineTensorNode({
  type: "test.decode",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({ in: { codes: tensor("int32", "b s", "code") }, out: tensor("float32", "b") }),
  apply: (_config, _params, { codes }) => tf.sum(codes, 1).toFloat(),
})({})

const start = graph("start", { tokens: tensor("int32", "b t", "token") })
const embedded = start.node("x", embed, { tokens: "tokens" })
const parts = embedded.node("parts", split, { x: "x" })

test("ports keep their literal types through the builder and into the graph", () => {
  const whole = parts.output("parts.mean", "parts.total")
  expectTypeOf(whole.out.mean).toEqualTypeOf<TensorPort<"float32", "b t", "">>()
  expectTypeOf(whole.out.total).toEqualTypeOf<TensorPort<"float32", "b", "sum">>()
  expectTypeOf(whole.in.tokens).toEqualTypeOf<TensorPort<"int32", "b t", "token">>()
  expectTypeOf<NodePortsOf<typeof whole>["x"]["out"]>().toEqualTypeOf<TensorPort<"float32", "b t d", "">>()
  const renamed = parts.output({ average: "parts.mean" })
  expectTypeOf(renamed.out.average.axes).toEqualTypeOf<"b t">()
  const one = parts.output("parts.mean")
  expectTypeOf(one.out.axes).toEqualTypeOf<"b t">()
  expect(renamed.out.average).toEqual(one.out)
})

test("a wrong wire does not compile, and the message says what the port needs", () => {
  expect(() =>
    start
      // @ts-expect-error  "needs int32 [b s] code - no wire carries it"
      .node("images", decode, { codes: "tokens" })
      .output("images"),
  ).toThrow("int32 [b s] code")
})

test("a mistyped wire does not compile", () => {
  expect(() =>
    start
      // @ts-expect-error  "tokns" is not a wire: "tokens" is the one that fits
      .node("x", embed, { tokens: "tokns" })
      .output("x"),
  ).toThrow('did you mean "tokens"?')
})

test("a missing and a superfluous wire do not compile", () => {
  expect(() =>
    start
      // @ts-expect-error  in-port "tokens" has no wire
      .node("x", embed, {})
      .output("x"),
  ).toThrow("no wire")
  expect(() =>
    start
      // @ts-expect-error  embed has no in-port "mask"
      .node("x", embed, { tokens: "tokens", mask: "tokens" })
      .output("x"),
  ).toThrow('a wire for "mask"')
})

test("a name in use does not compile", () => {
  expect(() =>
    embedded
      // @ts-expect-error  "x" is taken by a node
      .node("x", split, { x: "x" })
      .output("x.mean"),
  ).toThrow('"x" 2 times')
  expect(() =>
    start
      // @ts-expect-error  "tokens" is taken by an input
      .node("tokens", embed, { tokens: "tokens" })
      .output("tokens"),
  ).toThrow('"tokens" 2 times')
  expect(() =>
    start
      // @ts-expect-error  a dot separates a node from its port
      .node("a.b", embed, { tokens: "tokens" })
      .output("a.b"),
  ).toThrow('"a.b"')
})

test("a wrong port of a node with several does not compile", () => {
  expect(() =>
    parts
      // @ts-expect-error  parts.mean is float32 [b t], not float32 [b t d]
      .node("again", split, { x: "parts.mean" })
      .output("again.mean"),
  ).toThrow("float32 [b t]")
  expect(() =>
    parts
      // @ts-expect-error  several outputs: "parts" alone carries nothing
      .node("again", split, { x: "parts" })
      .output("again.mean"),
  ).toThrow('"parts.mean"')
})

test("an unknown output does not compile", () => {
  expect(() =>
    // @ts-expect-error  "y" is not a wire
    embedded.output("y"),
  ).toThrow('"y"')
  expect(() =>
    // @ts-expect-error  "y" is not a wire
    embedded.output({ result: "y" }),
  ).toThrow('"y"')
})

test("sharing with a node that is not there does not compile", () => {
  expect(() =>
    embedded
      // @ts-expect-error  "y" is not an earlier node
      .node("again", embed, { tokens: "tokens" }, { shares: "y" })
      .output("again"),
  ).toThrow("shares")
})

const rule = defineTensorNode({
  type: "test.rule",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({ in: {}, out: tensor("float32", "b t d") }),
  apply: () => tf.zeros([1, 1, 4]),
})({})

const two = graph("two", { tokens: tensor("int32", "b t", "token"), text: tensor("int32", "n s", "token") }).node(
  "x",
  embed,
  { tokens: "tokens" },
)

test("a node takes and gives what its renamed axes say", () => {
  const whole = two
    .node("y", embed, { tokens: "text" }, { axes: { b: "n", t: "s" }, shares: "x" })
    .node("parts", split, { x: "y" }, { axes: { t: "s", b: "n" } })
    .output("x", "y", "parts.total")
  expectTypeOf(whole.out.x).toEqualTypeOf<TensorPort<"float32", "b t d", "">>()
  expectTypeOf(whole.out.y.axes).toEqualTypeOf<"n s d">()
  expectTypeOf(whole.out.total.axes).toEqualTypeOf<"n">()
  // The nodes' own ports: what may take their place keeps the renaming.
  expectTypeOf<NodePortsOf<typeof whole>["y"]["out"]>().toEqualTypeOf<TensorPort<"float32", "b t d", "">>()
  expect(whole.out.y.axes).toBe("n s d")
})

test("two axes may change their names for each other's", () => {
  const turned = graph("turned", { tokens: tensor("int32", "t b", "token") })
    .node("x", embed, { tokens: "tokens" }, { axes: { b: "t", t: "b" } })
    .output("x")
  expectTypeOf(turned.out.axes).toEqualTypeOf<"t b d">()
})

test("a factor of a product is renamed, a number is not", () => {
  const merge = defineTensorNode({
    type: "test.merge-heads",
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({ in: { x: tensor("float32", "b 3 (h e)") }, out: tensor("float32", "b 3 e") }),
    apply: (_config, _params, { x }) => x,
  })({})
  const whole = graph("merged", { x: tensor("float32", "n 3 (k e)") })
    .node("merged", merge, { x: "x" }, { axes: { b: "n", h: "k" } })
    .output("merged")
  expectTypeOf(whole.out.axes).toEqualTypeOf<"n 3 e">()
})

test("an axis renamed wrongly does not compile", () => {
  expect(() =>
    two
      // @ts-expect-error  "axes: this node has no axis q"
      .node("y", embed, { tokens: "text" }, { axes: { b: "n", t: "s", q: "k" } })
      .output("y"),
  ).toThrow('a new name for "q"')
  expect(() =>
    two
      // @ts-expect-error  "axes: two axes of this node would be called n"
      .node("y", embed, { tokens: "text" }, { axes: { b: "n", t: "n" } })
      .output("y"),
  ).toThrow('"b" renamed to "n", "t" too')
  expect(() =>
    two
      // @ts-expect-error  "axes: two axes of this node would be called d"
      .node("y", embed, { tokens: "text" }, { axes: { b: "n", t: "d" } })
      .output("y"),
  ).toThrow("another of its axes")
  expect(() =>
    two
      // @ts-expect-error  renamed, the node takes [n s]: "tokens" no longer fits
      .node("y", embed, { tokens: "tokens" }, { axes: { b: "n", t: "s" } })
      .output("y"),
  ).toThrow('wire "text"')
  expect(() =>
    two
      // @ts-expect-error  not renamed, it takes [b t]
      .node("y", embed, { tokens: "text" })
      .output("y"),
  ).toThrow("ShapeMismatch")
})

test("a node is replaced by one that gives the same and takes the same or less", () => {
  const whole = parts.output("parts.mean")
  const swapped = replaceNode(whole, "x", embed)
  expectTypeOf(swapped).toEqualTypeOf(whole)
  const ruled = replaceNode(whole, "x", rule)
  expectTypeOf<NodePortsOf<typeof ruled>["x"]["in"]>().toEqualTypeOf<Record<never, never>>()
  expectTypeOf<NodePortsOf<typeof ruled>["parts"]>().toEqualTypeOf<NodePortsOf<typeof whole>["parts"]>()
  expectTypeOf(ruled.out).toEqualTypeOf(whole.out)
  expect(ruled.nodes[0]?.wires).toEqual({})
  expect(() =>
    // @ts-expect-error  the wire to "tokens" is gone: what once took it no longer fits
    replaceNode(ruled, "x", embed),
  ).toThrow('a new in-port "tokens"')
  expect(() =>
    // @ts-expect-error  decode takes codes, not tokens
    replaceNode(whole, "x", decode),
  ).toThrow("codes")
  expect(() =>
    // @ts-expect-error  rule gives float32 [b t d], split gave two others
    replaceNode(whole, "parts", rule),
  ).toThrow("no such output")
  expect(() =>
    // @ts-expect-error  there is no node "y"
    replaceNode(whole, "y", embed),
  ).toThrow("a node of the graph")
})

test("stages are wired by the kind of their artifacts", () => {
  const text = artifact(artifactKind("text", (value: string) => ({ "text.txt": new TextEncoder().encode(value) })))
  const count = artifact(artifactKind("count", (value: number) => ({ count: Uint8Array.of(value) })))
  const measure = defineStageNode({
    type: "test.measure",
    version: 1,
    config: Schema.Struct({}),
    ports: { in: { text }, out: count },
    run: (_, inputs) => Effect.succeed(inputs.text.length),
  })({})
  const whole = graph("stages", { text }).node("length", measure, { text: "text" }).output("length")
  expectTypeOf(whole.out.unit).toEqualTypeOf<"count">()
  expect(() =>
    graph("stages", { text })
      .node("length", measure, { text: "text" })
      // @ts-expect-error  a count is not a text
      .node("again", measure, { text: "length" })
      .output("again"),
  ).toThrow("artifact text")
})
