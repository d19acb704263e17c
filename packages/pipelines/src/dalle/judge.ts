/** Stage: a judge learns to tell facts of images from images whose facts are known. */
import {
  artifact,
  BadData,
  defineStageNode,
  graph,
  initParams,
  int32,
  objectiveOf,
  random,
  Stage,
  spec,
  split,
  tensor,
} from "@millrace/core"
import { Effect, Schema } from "effect"
import { type CaptionedImage, captionedImagesKind } from "../artifacts/captionedImages.js"
import { judgeKind } from "../artifacts/judge.js"
import { fit } from "../fit.js"
import { imageBatch, pixelRanges } from "../images/pixels.js"
import { epochRows } from "../order.js"
import { Count, CountOrZero } from "../ranges.js"
import { spread } from "../spread.js"
import { FitConfig } from "../trainer.js"
import { type Facts, pictureFacts } from "./facts.js"
import { type JudgeConfig, judge } from "./judgeModel.js"
import { judgeOf, none, type Vocabulary } from "./learntJudge.js"
import { soften } from "./soften.js"

const image = tensor("float32", "b y x c", "[0,1]")

const judging = (config: JudgeConfig) =>
  graph("judging", { image, truth: tensor("int32", "b n", "class") })
    .node("judge", judge.logits(config), { image: "image" })
    .node("loss", judge.loss({ values: config.values }), { logits: "judge", truth: "truth" })
    .output({ loss: "loss.loss", accuracy: "loss.accuracy" })

const vocabularyOf = (facts: ReadonlyArray<Facts>): Vocabulary => {
  const names = [...new Set(facts.flatMap(Object.keys))].sort()
  return names.map((name) => [name, [...new Set(facts.map((each) => each[name] ?? none))].sort()])
}

/** The place of each fact's value among those that were gathered. */
const classesOf = (vocabulary: Vocabulary, facts: Facts, name: string): Effect.Effect<ReadonlyArray<number>, BadData> =>
  Effect.forEach(vocabulary, ([fact, values]) => {
    const value = facts[fact] ?? none
    const at = values.indexOf(value)
    return at >= 0
      ? Effect.succeed(at)
      : new BadData({
          where: `dalle.judge > ${name}`,
          expected: `a ${fact} that was gathered: ${values.join(", ")}`,
          received: value,
          fix: "gather facts from more images",
        })
  })

export const judgeStage = defineStageNode({
  type: "dalle.judge",
  version: 1,
  config: Schema.Struct({
    model: Schema.Struct({ widths: Schema.Array(Count), hidden: Count }),
    /** Relations, and what each is when the two things change places. */
    inverses: Schema.Record(Schema.String, Schema.String),
    /** Images a step. */
    batch: Count,
    fit: FitConfig,
    /** How often an image is softened at most before it is learnt from: an even draw from 0 on. */
    softest: CountOrZero,
    /** Images that the facts and their values are gathered from, and held-out ones that its accuracy is stated on. */
    gather: Count,
    evaluate: Count,
  }),
  ports: { in: { images: artifact(captionedImagesKind) }, out: artifact(judgeKind) },
  run: ({ model, inverses, batch, fit: training, softest, gather, evaluate }, { images }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const { size, train, heldOut } = images
      const factsOf = ({ facts = {} }: CaptionedImage): Facts => pictureFacts(facts, inverses)
      const gathered = yield* train.read(spread(train.count, gather))
      const vocabulary = vocabularyOf(gathered.map(factsOf))
      if (vocabulary.length === 0) {
        return yield* new BadData({
          where: "dalle.judge",
          expected: "images whose facts are known",
          received: `${gathered.length} images of ${images.source} without facts`,
          fix: "use a data set that states facts, such as scenes, or leave the judge out",
        })
      }
      const config: JudgeConfig = { ...model, size, values: vocabulary.map(([, values]) => values.length) }
      const objective = objectiveOf(judging(config))
      const [order, blur] = [split(key, "order"), split(key, "blur")]
      const params = yield* fit({
        objective,
        inputs: { image: spec("float32", [batch, size, size, 3]), truth: spec("int32", [batch, vocabulary.length]) },
        config: training,
        initial: initParams(objective.paramSpecs, split(key, "parameters")),
        batch: (at) =>
          Effect.gen(function* () {
            const rows = yield* train.read(epochRows(train.count, batch, order, at))
            const truth: Array<number> = []
            for (const row of rows) truth.push(...(yield* classesOf(vocabulary, factsOf(row), row.name)))
            const times = random.integers(split(blur, at), [batch], 0, softest + 1).data
            const seen = rows.map(({ pixels }, i) => soften(pixels, size, times[i]!))
            return { image: imageBatch(pixelRanges.unit, seen, size), truth: int32([batch, vocabulary.length], truth) }
          }),
        amount: batch,
        unit: "images",
      })
      const made = judgeOf(config, params, vocabulary, inverses)
      const rows = yield* heldOut.read(spread(heldOut.count, evaluate))
      const told = yield* Effect.scoped(Effect.flatMap(made.open(), (tell) => tell(rows.map(({ pixels }) => pixels))))
      const right = (name: string): number =>
        rows.filter(({ facts = {} }, i) => told[i]![name] === made.expected(facts)[name]).length
      yield* emit({
        type: "stage.table",
        title: `The judge on ${rows.length} held-out images`,
        columns: ["fact", "values", "accuracy"],
        rows: vocabulary.map(([name, values]) => [
          name,
          values.length,
          `${((100 * right(name)) / rows.length).toFixed(1)} %`,
        ]),
      })
      return made
    }),
})
