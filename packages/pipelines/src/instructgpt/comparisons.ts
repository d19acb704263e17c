/** Stage: a labeler ranks the answers to each prompt. */
import { artifact, defineStageNode, random, Stage, split } from "@millrace/core"
import { Effect, Schema } from "effect"
import { type Answers, answersKind, type Comparison, comparisonsKind } from "../artifacts/comparisons.js"
import { labelerKind } from "../artifacts/labeler.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Positive, PositiveOrZero } from "../ranges.js"
import { answerText } from "./rows.js"

export const comparisonsStage = defineStageNode({
  type: "instructgpt.comparisons",
  version: 1,
  source:
    "Ouyang et al. 2022, section 3.5: K answers ranked per prompt; noise as Plackett and Luce, whose pairs are Bradley–Terry",
  config: Schema.Struct({
    /** Scale of the labeler's noise, in points of gold score: the judged score is gold + noise · Gumbel(0, 1). */
    noise: PositiveOrZero,
    /** Judged scores are rounded to multiples of this; answers that round alike are a tie. */
    grain: Positive,
  }),
  ports: {
    in: { answers: artifact(answersKind), tokenizer: artifact(tokenizerKind), labeler: artifact(labelerKind) },
    out: artifact(comparisonsKind),
  },
  outline: (_, { sizes }) => ({ sizes: sizes("answers") }),
  run: ({ noise, grain }, { answers, tokenizer, labeler }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const judge = (side: ReadonlyArray<Answers>, name: string): ReadonlyArray<Comparison> =>
        side.map((row, i) => {
          const draws = random.gumbel(split(split(key, name), i), [row.answers.length]).data
          const gold = row.answers.map((answer) => labeler.score(answerText(tokenizer, answer)))
          return { ...row, gold, preference: gold.map((g, j) => Math.round((g + noise * draws[j]!) / grain)) }
        })
      const judged = { train: judge(answers.train, "train"), heldOut: judge(answers.heldOut, "held out") }
      const { pairs, ties, agree, decided } = tally(judged.train)
      yield* emit({
        type: "stage.note",
        text: `${pairs - ties} comparisons and ${ties} ties; the simulated labeler agrees with its gold score in ${((100 * agree) / Math.max(1, decided)).toFixed(1)} % of pairs`,
      })
      return judged
    }),
})

/** Pairs in all, pairs that are ties, pairs decided with unequal gold scores, and those that agree with them. */
const tally = (rows: ReadonlyArray<Comparison>) => {
  let [pairs, ties, agree, decided] = [0, 0, 0, 0]
  for (const { preference, gold } of rows) {
    for (let i = 0; i < gold.length; i++) {
      for (let j = 0; j < i; j++) {
        pairs++
        const judged = Math.sign(preference[i]! - preference[j]!)
        const truth = Math.sign(gold[i]! - gold[j]!)
        if (judged === 0) ties++
        else if (truth !== 0) {
          decided++
          if (judged === truth) agree++
        }
      }
    }
  }
  return { pairs, ties, agree, decided }
}
