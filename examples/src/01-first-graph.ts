/**
 * A first graph: a word table and a projection. It is wired, drawn and run, and then wired wrongly.
 *
 *   npm run example 01      about two seconds
 *
 * Prints the graph as mermaid text, the five logits after the first word, and the answer to two mistakes.
 */
import { fileURLToPath } from "node:url"
import {
  defineTensorNode,
  Engine,
  Engines,
  embed,
  forward,
  graph,
  initParams,
  int32,
  keyFromSeed,
  linear,
  normal,
  objectiveOf,
  tensor,
  toMermaid,
} from "@millrace/core"
import { Effect, Schema } from "effect"

// Axes: b batch, t position, d width, v vocabulary. "token" and "logit" are units: they keep like from unlike.
const words = tensor("int32", "b t", "token")
const hidden = tensor("float32", "b t d")
const Sizes = Schema.Struct({ vocabulary: Schema.Int, width: Schema.Int })

const table = defineTensorNode({
  type: "example.table",
  version: 1,
  config: Sizes,
  ports: (c) => ({ in: { tokens: words }, out: hidden, sizes: { d: c.width } }),
  params: (c) => ({ rows: { shape: [c.vocabulary, c.width], init: normal(1) } }),
  apply: (_, { rows }, { tokens }) => embed(rows, tokens),
})
const project = defineTensorNode({
  type: "example.project",
  version: 1,
  config: Sizes,
  ports: (c) => ({
    in: { x: hidden },
    out: tensor("float32", "b t v", "logit"),
    sizes: { d: c.width, v: c.vocabulary },
  }),
  params: (c) => ({ weight: { shape: [c.width, c.vocabulary], init: normal(1) } }),
  apply: (_, { weight }, { x }) => linear(x, weight),
})

const start = graph("first", { words }).node("x", table({ vocabulary: 5, width: 8 }), { tokens: "words" })
const first = start.node("logits", project({ vocabulary: 5, width: 8 }), { x: "x" }).output("logits")

export const main = async (print: (line: string) => void = console.log): Promise<void> => {
  print(toMermaid(first))
  const objective = objectiveOf(first)
  const inputs = { words: int32([1, 3], [0, 1, 2]) }
  const run = Effect.gen(function* () {
    const engine = yield* Engine
    const params = yield* engine.allocate(initParams(objective.paramSpecs, keyFromSeed(1)))
    const ready = yield* engine.compile(forward(objective, inputs))
    return yield* ready.run({ state: { params }, inputs })
  })
  const { logits } = await Effect.runPromise(run.pipe(Effect.scoped, Effect.provide(Engines.layer("onnx"))))
  print(`logits ${Array.from(logits!.data.slice(0, 5), (value) => value.toFixed(2)).join(" ")}`)
  try {
    start
      .node("wide", project({ vocabulary: 5, width: 16 }), { x: "x" }) // a size that does not fit: told when built
      // @ts-expect-error  '"words"' is not assignable to '"x"': told in the editor, and again when built
      .node("logits", project({ vocabulary: 5, width: 8 }), { x: "words" })
      .output("wide", "logits")
  } catch (error) {
    print((error as Error).message)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
