/** Small stages on numbers, for the tests of runs. */
import { artifact, artifactKind, defineStageNode, Engine, type Files, Stage, type StageContext } from "@millrace/core"
import { Effect, Schema } from "effect"

const number = artifactKind("number", (value: number): Files => ({ "value.txt": new TextEncoder().encode(`${value}`) }))

/** A port that carries one number. */
export const port = artifact(number)

type Run<A> = Effect.Effect<A, unknown, StageContext>
const none = Schema.Struct({})

/** A stage without inputs. */
export const source = (run: Run<number>) =>
  defineStageNode({ type: "test.source", version: 1, config: none, ports: { in: {}, out: port }, run: () => run })({})

/** A stage with one input. */
export const step = (run: (x: number) => Run<number>) =>
  defineStageNode({
    type: "test.step",
    version: 1,
    config: none,
    ports: { in: { x: port }, out: port },
    run: (_, { x }) => run(x),
  })({})

/** A stage with two outputs. */
export const range = (run: Run<{ readonly low: number; readonly high: number }>) =>
  defineStageNode({
    type: "test.range",
    version: 1,
    config: none,
    ports: { in: {}, out: { low: port, high: port } },
    run: () => run,
  })({})

export const constant = (value: number) => source(Effect.succeed(value))

export const sum = defineStageNode({
  type: "test.sum",
  version: 1,
  config: none,
  ports: { in: { a: port, b: port }, out: port },
  run: (_, { a, b }) => Effect.succeed(a + b),
})({})

/** A stage that tells of `steps` steps and gives the last loss. */
export const training = (steps: number) =>
  source(
    Effect.gen(function* () {
      const { emit } = yield* Stage
      for (let i = 1; i <= steps; i++) {
        yield* emit({ type: "stage.step", step: i, steps, values: { loss: 1 / i }, amount: 10, unit: "token" })
      }
      yield* emit({ type: "stage.table", title: "Losses", columns: ["split", "loss"], rows: [["train", 1 / steps]] })
      return 1 / steps
    }),
  )

/** An engine for stages that ask nothing of it. */
export const noEngine = Effect.provideService(
  Engine,
  Engine.of({
    name: "tfjs:cpu",
    version: "none 1.0.0",
    compile: () => Effect.die("not asked for"),
    allocate: () => Effect.die("not asked for"),
  }),
)
