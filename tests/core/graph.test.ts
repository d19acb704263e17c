import {
  artifact,
  decodeGraph,
  encodeGraph,
  graph,
  graphHash,
  keyFromSeed,
  noCheckpoints,
  registry,
  replaceNode,
  resolveSizes,
  Stage,
  tensor,
} from "@millrace/core"
import { Effect, Exit } from "effect"
import { expect, test } from "vitest"
import { add, bias, constant, extremes, heads, loss, merge, scale, shout, text, types } from "./graphNodes.js"

const bd = tensor("float32", "b d")
const start = () => graph("model", { x: bd })

const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return "nothing was thrown"
}

const decodeFails = (json: unknown): string => {
  const exit = Effect.runSyncExit(Effect.flip(decodeGraph(json, types)))
  return Exit.isSuccess(exit) ? exit.value.message : String(exit.cause)
}

test("all sizes that do not fit are reported at once, with who bound each", () => {
  const wrong = () =>
    start()
      .node("first", bias({ width: 4 }), { x: "x" })
      .node("second", bias({ width: 8 }), { x: "first" })
      .node("third", bias({ width: 3 }), { x: "x" })
      .output("second", "third")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "ShapeMismatch in model
      expected  second > x: axis d = 8 (bound by second's config)
                third > x: axis d = 3 (bound by third's config)
      received  second > x: axis d = 4 (bound by first's config) from "first"
                third > x: axis d = 4 (bound by first's config) from "x"
      fix       second > x: change second's config or first's config
                third > x: change third's config or first's config"
  `)
})

test("sizes flow through nodes that do not bind them and through nested graphs", () => {
  const nested = graph("nested", { y: bd })
    .node("last", bias({ width: 8 }), { x: "y" })
    .output("last")
  const wrong = () =>
    graph("outer", { x: bd }, { sizes: { d: 4 } })
      .node("half", extremes({}), { x: "x" })
      .node("sum", add({}), { a: "half.low", b: "half.high" })
      .node("inner", nested, { y: "sum" })
      .output("inner")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "ShapeMismatch in outer > inner > y
      expected  axis d = 8 (bound by inner > last's config)
      received  axis d = 4 (bound by the sizes of outer) from "sum"
      fix       change inner > last's config or the sizes of outer"
  `)
})

test("a product of axes is solved as soon as its other factors are known", () => {
  const whole = start()
    .node("heads", heads({ heads: 4, width: 16 }), { x: "x" })
    .node("merge", merge({ heads: 2 }), { x: "heads" })
    .output("merge")
  expect(resolveSizes(whole, { b: 3, d: 64 }).outputs).toEqual({ merge: { dtype: "float32", shape: [3, 32] } })
  const wrong = () =>
    start()
      .node("heads", heads({ heads: 4, width: 16 }), { x: "x" })
      .node("merge", merge({ heads: 5 }), { x: "heads" })
      .output("merge")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "ShapeMismatch in model > merge > x
      expected  axis (h e) a multiple of 5 (bound by merge's config)
      received  axis (h e) = 64 (bound by heads's config) from "heads"
      fix       change merge's config or heads's config"
  `)
})

test("an axis that nothing binds is named", () => {
  const whole = start()
    .node("scale", scale({ factor: 2 }), { x: "x" })
    .output("scale")
  expect(messageOf(() => resolveSizes(whole, { b: 2 }))).toMatchInlineSnapshot(`
    "ShapeMismatch in model
      expected  a size for every axis
      received  nothing binds axis d of x, axis d of scale > x, axis d of scale
      fix       give sizes: { d: … }"
  `)
  expect(messageOf(() => resolveSizes(whole, { b: 2, dd: 2 }))).toMatchInlineSnapshot(`
    "BadConfig in model
      expected  sizes of axes of the inputs: b d
      received  dd
      fix       did you mean "d"?"
  `)
})

test("resolved sizes name the shape of every port, nested ones too", () => {
  const inner = graph("inner", { y: bd }).node("parts", extremes({}), { x: "y" }).output("parts.low")
  const whole = start()
    .node("bias", bias({ width: 5 }), { x: "x" })
    .node("low", inner, { y: "bias" })
    .output("low")
  const { inputs, ports } = resolveSizes(whole, { b: 2 })
  expect(inputs).toEqual({ x: { dtype: "float32", shape: [2, 5] } })
  expect(Object.keys(ports)).toEqual([
    "x",
    "bias > x",
    "bias",
    "low > y",
    "low > parts > x",
    "low > parts.low",
    "low > parts.high",
    "low",
  ])
  expect(new Set(Object.values(ports).map(({ shape }) => shape.join()))).toEqual(new Set(["2,5"]))
})

test("one wrong wire is told in place, with the wire that fits", () => {
  const wrong = () =>
    start()
      .node("loss", loss({}), { x: "x" })
      .node("scale", scale({ factor: 1 }), { x: "loss" as never })
      .output("scale")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "ShapeMismatch in model > scale > x
      expected  float32 [b d]
      received  float32 [] from "loss"
      fix       wire "x""
  `)
})

test("every unknown wire is told, each with the nearest name", () => {
  const wrong = () =>
    start()
      .node("parts", extremes({}), { x: "x" })
      .node("sum", add({}), { a: "parts.hihg" as never, b: "parts" as never })
      .output("smu" as never)
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "UnknownWire in model
      expected  sum > a: a wire of the graph
                sum > b: a wire of the graph
                output smu: a wire of the graph
      received  sum > a: "parts.hihg"
                sum > b: "parts"
                output smu: "smu"
      fix       sum > a: did you mean "parts.high"?
                sum > b: choose its port: "parts.low", "parts.high"
                output smu: did you mean "sum"?"
  `)
})

test("two outputs of one name are refused, and renaming them is enough", () => {
  const two = start().node("a", extremes({}), { x: "x" }).node("b", extremes({}), { x: "x" })
  expect(messageOf(() => two.output("a.low", "b.low"))).toMatchInlineSnapshot(`
    "DuplicateNode in model
      expected  every output under its own name
      received  "low" 2 times
      fix       name the outputs: .output({ first: "a.x", second: "b.x" })"
  `)
  expect(Object.keys(two.output({ first: "a.low", second: "b.low" }).out)).toEqual(["first", "second"])
})

test("tensor nodes and stage nodes are not mixed in one graph", () => {
  const wrong = () =>
    graph("mixed", { x: bd, text: artifact(text) })
      .node("scale", scale({ factor: 2 }), { x: "x" })
      .node("shout", shout({ times: 1 }), { text: "text" })
      .output("shout")
  expect(messageOf(wrong)).toMatchInlineSnapshot(`
    "BadConfig in mixed > shout
      expected  a tensor node, like "scale"
      received  test.shout@1, a stage node
      fix       keep tensor nodes in a graph of their own and let a stage open it"
  `)
})

test("only a node of the same type and config can be shared with", () => {
  const first = start().node("a", bias({ width: 4 }), { x: "x" })
  expect(
    messageOf(() => first.node("b", bias({ width: 5 }), { x: "x" }, { shares: "a" }).output("b")),
  ).toMatchInlineSnapshot(`
    "BadConfig in model > b
      expected  the config of "a": {"width":4}
      received  {"width":5}
      fix       give both nodes one config"
  `)
  expect(
    messageOf(() => first.node("b", scale({ factor: 5 }), { x: "x" }, { shares: "a" }).output("b")),
  ).toMatchInlineSnapshot(`
    "BadConfig in model > b
      expected  a node of type test.scale@1 with parameters of its own
      received  "a", test.bias@1
      fix       share a node of the same type and version"
  `)
})

test("a bad config is refused in code as in files, every error at once", () => {
  expect(messageOf(() => heads({ haeds: 4, width: "wide" } as never))).toMatchInlineSnapshot(`
    "BadConfig in test.heads@1
      expected  heads: required
                width: number
      received  haeds: unknown key
                heads: missing
                width: "wide"
      fix       haeds: did you mean "heads"?"
  `)
  expect(messageOf(() => scale({ factor: Number.NaN }))).toMatchInlineSnapshot(`
    "BadConfig in test.scale@1
      expected  plain JSON data
      received  factor is NaN
      fix       give strings, finite numbers, booleans, null, arrays and plain objects"
  `)
  const json = encodeGraph(
    start()
      .node("a", bias({ width: 4 }), { x: "x" })
      .output("a"),
  )
  const bad = { ...json, nodes: [{ ...json.nodes[0]!, config: { width: 4.5, depth: 1 } }] }
  expect(decodeFails(bad)).toMatchInlineSnapshot(`
    "BadConfig in model > a > test.bias@1
      expected  width: an integer
      received  depth: unknown key
                width: 4.5
      fix       depth: remove it"
  `)
})

test("every bad config and unknown type of a file is told in one error, nested ones too", () => {
  const inner = start()
    .node("b", scale({ factor: 1 }), { x: "x" })
    .output("b")
  const json = encodeGraph(
    start()
      .node("a", bias({ width: 4 }), { x: "x" })
      .node("inner", inner, { x: "a" })
      .node("c", scale({ factor: 1 }), { x: "inner" })
      .output("c"),
  )
  const [a, box, c] = json.nodes
  const bad = { ...box!.graph!, nodes: [{ ...box!.graph!.nodes[0]!, config: { factor: "two" } }] }
  const nodes = [{ ...a!, config: { width: 4.5, depth: 1 } }, { ...box!, graph: bad }, c!]
  expect(decodeFails({ ...json, nodes })).toMatchInlineSnapshot(`
    "BadConfig in model
      expected  a > test.bias@1: width: an integer
                inner > b > test.scale@1: factor: number
      received  a > test.bias@1: depth: unknown key
                a > test.bias@1: width: 4.5
                inner > b > test.scale@1: factor: "two"
      fix       a > test.bias@1: depth: remove it
                inner > b > test.scale@1: give the expected values"
  `)
  const unknown = [nodes[0], nodes[1], { ...c!, node: "test.scael@1" }]
  expect(decodeFails({ ...json, nodes: unknown })).toMatchInlineSnapshot(`
    "UnknownNode in model
      expected  a > test.bias@1: width: an integer
                inner > b > test.scale@1: factor: number
                c: a node type of the registry, as type@version
      received  a > test.bias@1: depth: unknown key
                a > test.bias@1: width: 4.5
                inner > b > test.scale@1: factor: "two"
                c: "test.scael@1"
      fix       a > test.bias@1: depth: remove it
                inner > b > test.scale@1: give the expected values
                c: did you mean "test.scale@1"?"
  `)
})

test("a cycle in a file is named", () => {
  const json = {
    name: "loop",
    inputs: { x: { dtype: "float32", axes: "b d", unit: "" } },
    nodes: [
      { name: "a", node: "test.add@1", config: {}, wires: { a: "x", b: "c" } },
      { name: "b", node: "test.scale@1", config: { factor: 1 }, wires: { x: "a" } },
      { name: "c", node: "test.scale@1", config: { factor: 1 }, wires: { x: "b" } },
    ],
    outputs: "c",
  }
  expect(decodeFails(json)).toMatchInlineSnapshot(`
    "Cycle in loop
      expected  nodes that can be put in an order
      received  a → b → c → a
      fix       cut one of these wires; a loop is a node, not a cycle"
  `)
})

test("a file with an unknown type, version or key is refused with the nearest that there is", () => {
  const json = encodeGraph(
    start()
      .node("a", scale({ factor: 4 }), { x: "x" })
      .output("a"),
  )
  const node = json.nodes[0]!
  expect(decodeFails({ ...json, nodes: [{ ...node, node: "test.scael@1" }] })).toMatchInlineSnapshot(`
    "UnknownNode in model > a
      expected  a node type of the registry, as type@version
      received  "test.scael@1"
      fix       did you mean "test.scale@1"?"
  `)
  expect(decodeFails({ ...json, nodes: [{ ...node, node: "test.scale@7" }] })).toMatchInlineSnapshot(`
    "UnknownNode in model > a
      expected  a node type of the registry, as type@version
      received  "test.scale@7"
      fix       this version is not here: use test.scale@1, or a Millrace that has it"
  `)
  expect(decodeFails({ ...json, nodes: [{ ...node, frosen: true }] })).toMatchInlineSnapshot(`
    "BadConfig in graph file
      expected  known keys alone
      received  nodes[0].frosen: unknown key
      fix       nodes[0].frosen: did you mean "frozen"?"
  `)
  expect(decodeFails(JSON.parse(`{"name":"a","__proto__":{"polluted":1}}`))).toMatchInlineSnapshot(`
    "BadConfig in graph file
      expected  plain JSON data
      received  __proto__ is a refused key
      fix       give strings, finite numbers, booleans, null, arrays and plain objects"
  `)
})

test("files that are too large or too deep are refused before anything is built", () => {
  const node = { name: "a", node: "test.scale@1", config: { factor: 1 }, wires: { x: "x" } }
  const inputs = { x: { dtype: "float32", axes: "b d", unit: "" } }
  const many = Array.from({ length: 10_001 }, (_, i) => ({ ...node, name: `a${i}` }))
  expect(decodeFails({ name: "many", inputs, nodes: many, outputs: "a0" })).toContain("at most 10000 nodes")
  let deep: unknown = { name: "deep", inputs, nodes: [node], outputs: "a" }
  for (let i = 0; i < 100_000; i++)
    deep = { name: "deep", inputs, nodes: [{ name: "a", graph: deep, wires: { x: "x" } }], outputs: "a" }
  expect(decodeFails(deep)).toContain("nested deeper than 64")
})

test("ten thousand nodes in a chain are decoded", () => {
  const inputs = { x: { dtype: "float32", axes: "b d", unit: "" } }
  const nodes = Array.from({ length: 10_000 }, (_, i) => ({
    name: `a${i}`,
    node: "test.scale@1",
    config: { factor: 1 },
    wires: { x: i === 0 ? "x" : `a${i - 1}` },
  })).reverse()
  const decoded = Effect.runSync(decodeGraph({ name: "chain", inputs, nodes, outputs: "a9999" }, types))
  expect(decoded.nodes.map(({ name }) => name).slice(0, 3)).toEqual(["a0", "a1", "a2"])
})

test("an artifact input gets its kind back when a file is read", () => {
  const stages = graph("stages", { text: artifact(text) })
    .node("loud", shout({ times: 2 }), { text: "text" })
    .output("loud")
  const decoded = Effect.runSync(decodeGraph(encodeGraph(stages), types))
  expect(decoded.inputs.text).toEqual(artifact(text))
  expect(graphHash(decoded)).toBe(graphHash(stages))
})

test("a stage graph nested in another runs as one stage", async () => {
  const inner = graph("inner", { text: artifact(text) })
    .node("once", shout({ times: 1 }), { text: "text" })
    .node("again", shout({ times: 2 }), { text: "once" })
    .output("again")
  const outer = graph("outer", { text: artifact(text) })
    .node("inner", inner, { text: "text" })
    .output("inner")
  if (outer.level !== "stage") throw new Error("a graph of stages is a stage")
  const stage = {
    name: "outer",
    key: keyFromSeed(1),
    emit: () => Effect.void,
    keep: () => Effect.void,
    checkpoints: noCheckpoints,
    stopping: Effect.succeed(false),
  }
  const run = outer.run({ text: "hello" }).pipe(Effect.provideService(Stage, stage), Effect.scoped)
  expect(await Effect.runPromise(run as Effect.Effect<unknown>)).toBe("HELLO!!!")
})

test("a replaced node keeps the wires, and the hash tells", () => {
  const whole = start()
    .node("a", scale({ factor: 2 }), { x: "x" })
    .node("loss", loss({}), { x: "a" })
    .output("loss")
  const swapped = replaceNode(whole, "a", bias({ width: 4 }))
  expect(swapped.nodes.map(({ node, wires }) => [node.type, wires])).toEqual([
    ["test.bias", { x: "x" }],
    ["test.loss", { x: "a" }],
  ])
  expect(graphHash(swapped)).not.toBe(graphHash(whole))
  expect(graphHash(replaceNode(swapped, "a", scale({ factor: 2 })))).toBe(graphHash(whole))
})

test("a rule that needs less takes a node's place: the wires that it does not need are gone", () => {
  const whole = start()
    .node("a", scale({ factor: 2 }), { x: "x" })
    .node("sum", add({}), { a: "x", b: "a" })
    .output("sum")
  const ruled = replaceNode(whole, "sum", constant({}))
  expect(ruled.nodes.map(({ wires }) => wires)).toEqual([{ x: "x" }, {}])
  expect(resolveSizes(ruled, { b: 2, d: 3 }).outputs).toEqual({ sum: { dtype: "float32", shape: [1, 1] } })
  expect(messageOf(() => replaceNode(ruled, "sum", add({}) as never))).toMatchInlineSnapshot(`
    "UnknownWire in model
      expected  sum > a: no in-ports, as the old node
                sum > b: no in-ports, as the old node
      received  sum > a: a new in-port "a"
                sum > b: a new in-port "b"
      fix       sum > a: build the graph anew, with a wire for it
                sum > b: build the graph anew, with a wire for it"
  `)
  expect(messageOf(() => replaceNode(whole, "sum", extremes({}) as never))).toMatchInlineSnapshot(`
    "UnknownWire in model > sum > x
      expected  in-ports of the old node: "a", "b"
      received  a new in-port "x"
      fix       build the graph anew, with a wire for it"
  `)
  expect(messageOf(() => replaceNode(whole, "a", loss({}) as never))).toMatchInlineSnapshot(`
    "ShapeMismatch in model > a
      expected  float32 [b d]
      received  float32 []
      fix       give what the old node gave"
  `)
})

test("a registry refuses two definitions of one type and version", () => {
  const other = Object.assign(() => scale({ factor: 1 }), { ...scale, decode: scale.decode })
  expect(messageOf(() => registry([scale, other]))).toMatchInlineSnapshot(`
    "DuplicateNode in registry
      expected  one definition for each type and version
      received  test.scale@1 twice
      fix       raise the version of the newer one"
  `)
})
