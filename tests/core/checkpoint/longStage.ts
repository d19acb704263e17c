/** A long stage without an engine, between two short ones. */
import { artifact, artifactKind, BadData, betweenSteps, defineStageNode, float32, graph, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"

const number = artifactKind(
  "number",
  (value: number) => ({ "value.txt": new TextEncoder().encode(`${value}`) }),
  (files) => {
    const value = Number(new TextDecoder().decode(files["value.txt"]))
    return Number.isFinite(value)
      ? Effect.succeed(value)
      : new BadData({ where: "value.txt", expected: "a number", received: "none", fix: "write one" })
  },
)
const port = artifact(number)

export const steps = 5

/** Steps that each attempt began after. */
export const begun: Array<number> = []

const start = defineStageNode({
  type: "long.start",
  version: 1,
  config: Schema.Struct({}),
  ports: { in: {}, out: port },
  run: () => Effect.succeed(1.5),
})

const Notes = Schema.Struct({ sums: Schema.Array(Schema.Number) })

/** Adds up a state that depends on every step and on all before it. */
const long = defineStageNode({
  type: "long.long",
  version: 1,
  config: Schema.Struct({ steps: Schema.Int }),
  ports: { in: { x: port }, out: port },
  run: ({ steps }, { x }) =>
    Effect.gen(function* () {
      const { checkpoints, emit, keep } = yield* Stage
      const before = yield* checkpoints.restore
      const state = Float32Array.from(before?.tensors.state?.values?.data ?? [x, 1, 2])
      let sums = before === undefined ? [] : Schema.decodeUnknownSync(Notes)(before.notes).sums
      begun.push(before?.step ?? 0)
      for (let i = before?.step ?? 0; i < steps; i++) {
        for (let j = 0; j < state.length; j++) state[j] = state[j]! * 1.1 + state[(j + 1) % 3]! / (i + 1)
        sums = [...sums, state.reduce((sum, value) => sum + value, 0)]
        yield* emit({ type: "stage.step", step: i + 1, steps, values: { sum: sums.at(-1)! }, amount: 2, unit: "sum" })
        if (i === 1) yield* keep("picture", { "000002.png": Uint8Array.of(1, 2, 3) }, "images")
        yield* betweenSteps(
          Effect.sync(() => ({
            step: i + 1,
            tensors: { state: { values: float32([3], Float32Array.from(state)) } },
            notes: { sums },
            score: i === 1 ? 0 : 1,
          })),
        )
      }
      return sums.reduce((sum, value) => sum + value, 0)
    }),
})

const double = defineStageNode({
  type: "long.double",
  version: 1,
  config: Schema.Struct({}),
  ports: { in: { x: port }, out: port },
  run: (_, { x }) => Effect.succeed(2 * x),
})

export const longGraph = (count = steps) =>
  graph("long", {})
    .node("start", start({}), {})
    .node("long", long({ steps: count }), { x: "start" })
    .node("double", double({}), { x: "long" })
    .output("double", "long")
