/** Scoring any number of answers with a reward, a fixed batch at a time. */
import type { CompileError, Engine, EngineError } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { Effect, type Scope } from "effect"
import type { Reward } from "../artifacts/reward.js"
import { answerText, rowsOf, widthOf } from "./rows.js"

export interface Answered {
  readonly prompt: Int32Array
  readonly answer: Int32Array
}

/** One score an answer. The scorer lives as long as the scope. */
export const scoreAll = (
  reward: Reward,
  pairs: ReadonlyArray<Answered>,
  batch: number,
  tokenizer: Tokenizer,
): Effect.Effect<Float32Array, CompileError | EngineError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const width = widthOf(pairs)
    const scorer = yield* reward.open(batch, width)
    const scores = new Float32Array(pairs.length)
    for (let from = 0; from < pairs.length; from += batch) {
      const part = pairs.slice(from, from + batch)
      const texts = part.map(({ answer }) => answerText(tokenizer, answer))
      const rows = rowsOf(part, batch, width, tokenizer.endOfText)
      scores.set((yield* scorer({ ...rows, batch, width, texts })).subarray(0, part.length), from)
    }
    return scores
  })
