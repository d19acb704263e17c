/** A judge that was learnt: its network, what its classes mean, and its files. */
import {
  Engine,
  flatten,
  forward,
  graph,
  type HostTensors,
  isParamSpec,
  objectiveOf,
  type ParamSpec,
  spec,
  tensor,
} from "@millrace/core"
import { Effect, Schema } from "effect"
import type { Judge, Verdict } from "../artifacts/judge.js"
import { modelFiles } from "../artifacts/modelFiles.js"
import { imageBatch, pixelRanges } from "../images/pixels.js"
import { type Facts, type Inverses, pictureFacts } from "./facts.js"
import { JudgeConfig, judge, judgeParams } from "./judgeModel.js"

const verdicts = (config: JudgeConfig) =>
  graph("verdicts", { image: tensor("float32", "b y x c", "[0,1]") })
    .node("judge", judge.logits(config), { image: "image" })
    .node("verdict", judge.verdict({ values: config.values }), { logits: "judge" })
    .output({ verdict: "verdict" })

/** The facts of a data set, and the values that each has; `none` where an image lacks one. */
export type Vocabulary = ReadonlyArray<readonly [fact: string, values: ReadonlyArray<string>]>

export const none = "none"
/** Images at a time. */
const part = 64

export const judgeFiles = modelFiles({
  config: Schema.Struct({
    config: JudgeConfig,
    vocabulary: Schema.Array(Schema.Tuple([Schema.String, Schema.Array(Schema.String)])).check(Schema.isMinLength(1)),
    inverses: Schema.Record(Schema.String, Schema.String),
  }).check(
    Schema.makeFilter(({ config: { values }, vocabulary }) =>
      values.join() === vocabulary.map(([, each]) => each.length).join()
        ? undefined
        : `config.values ${values.join(", ")}: as many as vocabulary has of each fact`,
    ),
  ),
  params: ({ config }) => flatten<ParamSpec>({ judge: judgeParams(config) }, isParamSpec),
  parts: ({ config }) => config.widths.length,
  // The words of its facts are among it.
  configBytes: 2 ** 24,
})

const verdictOf = (vocabulary: Vocabulary, facts: Facts): Verdict =>
  Object.fromEntries(vocabulary.map(([name]) => [name, Object.hasOwn(facts, name) ? facts[name]! : none]))

/** A judge of trained parameters. */
export const judgeOf = (
  config: JudgeConfig,
  params: HostTensors,
  vocabulary: Vocabulary,
  inverses: Inverses,
): Judge => ({
  source: "a convolutional network, trained apart",
  facts: vocabulary.map(([name]) => name),
  expected: (facts) => verdictOf(vocabulary, pictureFacts(facts, inverses)),
  files: judgeFiles.write({ config, vocabulary, inverses }, params),
  open: () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const state = yield* engine.allocate(params)
      const { size } = config
      const program = yield* engine.compile(
        forward(objectiveOf(verdicts(config)), { image: spec("float32", [part, size, size, 3]) }),
      )
      return (images: ReadonlyArray<Uint8Array>) =>
        Effect.gen(function* () {
          const told: Array<Verdict> = []
          for (let from = 0; from < images.length; from += part) {
            const rows = images.slice(from, from + part)
            const inputs = { image: imageBatch(pixelRanges.unit, rows, size, part) }
            const { data } = (yield* program.run({ state: { params: state }, inputs })).verdict!
            for (let i = 0; i < rows.length; i++) {
              const at = i * vocabulary.length
              told.push(Object.fromEntries(vocabulary.map(([name, values], f) => [name, values[data[at + f]!]!])))
            }
          }
          return told
        })
    }),
})
