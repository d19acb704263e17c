import { artifact, defineTensorNode, type Graph, graph, tensor, toMermaid, toSvg } from "@millrace/core"
import { Schema } from "effect"
import { expect, test } from "vitest"
import { bias, extremes, loss, shout, text } from "./graphNodes.js"

const bd = tensor("float32", "b d")

const inner = graph("block", { x: bd }).node("parts", extremes({}), { x: "x" }).output("parts.high")
const whole = graph("model", { x: bd })
  .node("first", bias({ width: 4 }), { x: "x" })
  .node("again", bias({ width: 4 }), { x: "first" }, { shares: "first" })
  .node("reference", bias({ width: 4 }), { x: "again" }, { frozen: true })
  .node("block", inner, { x: "reference" })
  .node("loss", loss({}), { x: "block" })
  .output("loss")

test("mermaid text opens nested graphs, names types and marks what is frozen or shared", () => {
  expect(toMermaid(whole)).toMatchInlineSnapshot(`
    "flowchart TD
      n0(["x"])
      n1["<b>first</b><br/>test.bias@1<br/>8 parameters"]
      n2["<b>again</b><br/>test.bias@1<br/>shares first"]
      n3["<b>reference</b><br/>test.bias@1<br/>8 parameters<br/>frozen"]
      n6["<b>loss</b><br/>test.loss@1"]
      n7(["loss"])
      subgraph n4["block: block"]
        n5["<b>parts</b><br/>test.extremes@2"]
      end
      n0 -- "float32 [b d]" --> n1
      n1 -- "float32 [b d]" --> n2
      n2 -- "float32 [b d]" --> n3
      n3 -- "float32 [b d]" --> n5
      n5 -- "float32 [b d]" --> n6
      n6 -- "float32 []" --> n7
      classDef frozen stroke-dasharray:4 3
      class n3 frozen
    "
  `)
})

test("the picture says what is frozen, what is shared, and how many parameters a node has", () => {
  const svg = toSvg(whole)
  expect(svg.match(/class="mg-tensor mg-frozen"/g)).toHaveLength(1)
  expect(svg).toContain(">8 parameters · frozen</text>")
  expect(svg).toContain(">shares first</text>")
  expect(svg).toContain("<title>model &#62; loss: test.loss@1. A mean of squares</title>")
})

test("a picture needs nothing from outside and runs nothing", () => {
  for (const drawn of [toSvg(whole), toSvg(whole, { theme: "dark", direction: "right" })]) {
    expect(drawn.replace("http://www.w3.org/2000/svg", "")).not.toMatch(
      /https?:|<script|<image|<foreignObject|@import|url\((?!#)/,
    )
  }
})

test("text from a graph file stays text in the picture and in the mermaid source", () => {
  const hostile = `</text><script>alert("1")</script>\n"]; click n0 call()`
  const node = defineTensorNode({
    type: hostile,
    version: 1,
    config: Schema.Struct({}),
    ports: () => ({ in: { x: tensor("float32", "b", hostile) }, out: tensor("float32", "b", hostile) }),
    apply: (_config, _params, { x }) => x,
  })({})
  const drawn: Graph = graph(hostile, { x: tensor("float32", "b", hostile) })
    .node("a", node, { x: "x" })
    .output("a")
  expect(toSvg(drawn)).not.toContain("<script")
  expect(toSvg(drawn).match(/<svg/g)).toHaveLength(1)
  const lines = toMermaid(drawn).trim().split("\n")
  expect(lines).toHaveLength(1 + 3 + 2)
  for (const line of lines) expect(line.match(/"/g)?.length ?? 2).toBe(2)
  expect(toMermaid(drawn)).not.toMatch(/<script|click n0 call\(\)$/m)
})

test("stages and tensors are drawn apart, and an artifact's label is its kind", () => {
  const stages = graph("stages", { text: artifact(text) })
    .node("loud", shout({ times: 1 }), { text: "text" })
    .node("louder", shout({ times: 2 }), { text: "loud" })
    .output("louder")
  const svg = toSvg(stages)
  expect(svg.match(/class="mg-stage"/g)).toHaveLength(2)
  expect(svg.match(/class="mg-label"[^>]*>text</g)).toHaveLength(1)
})
