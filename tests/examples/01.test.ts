import { main } from "@millrace/examples/01-first-graph"
import { expect, test } from "vitest"

test("the first graph is drawn and run, and its wrong wires are told", async () => {
  const lines: Array<string> = []
  await main((line) => lines.push(line))
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "flowchart TD
      n0(["words"])
      n1["<b>x</b><br/>example.table@1<br/>40 parameters"]
      n2["<b>logits</b><br/>example.project@1<br/>40 parameters"]
      n3(["logits"])
      n0 -- "int32 [b t] token" --> n1
      n1 -- "float32 [b t d]" --> n2
      n2 -- "float32 [b t v] logit" --> n3

    logits 0.86 -1.14 -0.21 -1.56 -3.34
    ShapeMismatch in first
      expected  wide > x: axis d = 16 (bound by wide's config)
                logits > x: float32 [b t d]
      received  wide > x: axis d = 8 (bound by x's config) from "x"
                logits > x: int32 [b t] token from "words"
      fix       wide > x: change wide's config or x's config
                logits > x: wire "x""
  `)
})
