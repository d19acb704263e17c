/**
 * Stage: a policy answers each prompt K times.
 * It has no checkpoints: a run that is stopped in it starts it over.
 */
import { artifact, defineStageNode, Engine, Stage, split } from "@millrace/core"
import { compileSampler, generate, type Samples } from "@millrace/models"
import { Effect, Schema } from "effect"
import { type Answers, answersKind } from "../artifacts/comparisons.js"
import { languageModelKind } from "../artifacts/languageModel.js"
import { type Passage, passagesKind } from "../artifacts/passages.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count, PositiveOrZero } from "../ranges.js"

const Several = Schema.Int.check(
  Schema.makeFilter((k) => (k >= 2 ? undefined : "at least 2 answers to compare; InstructGPT samples 4 to 9")),
)

export const answersStage = defineStageNode({
  type: "instructgpt.answers",
  version: 1,
  source: "Ouyang et al. 2022, section 3.5: K between 4 and 9 answers a prompt",
  config: Schema.Struct({
    /** Answers a prompt. */
    k: Several,
    /** Prompts to learn from, and held-out ones. */
    train: Count,
    heldOut: Count,
    temperature: PositiveOrZero,
    /** Answers sampled at a time. */
    batch: Count,
  }),
  ports: {
    in: { policy: artifact(languageModelKind), passages: artifact(passagesKind), tokenizer: artifact(tokenizerKind) },
    out: artifact(answersKind),
  },
  outline: ({ k }, { sizes }) => ({ sizes: { ...sizes("passages"), k } }),
  run: ({ k, train, heldOut, temperature, batch }, { policy, passages, tokenizer }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const engine = yield* Engine
      const params = yield* engine.allocate(policy.params)
      const sampler = yield* compileSampler(policy.config, {
        batch,
        promptLength: passages.promptLength,
        length: passages.continuationLength,
        endOfText: tokenizer.endOfText,
        frozen: true,
        temperature,
      })
      const prompts = Math.max(1, Math.floor(batch / k))
      const batches = (rows: ReadonlyArray<Passage>, limit: number): number =>
        Math.ceil(Math.min(limit, rows.length) / prompts)
      const steps = batches(passages.train, train) + batches(passages.heldOut, heldOut)
      let done = 0
      const side = (rows: ReadonlyArray<Passage>, limit: number, name: string) =>
        Effect.gen(function* () {
          const chosen = rows.slice(0, limit)
          const answers: Array<Answers> = []
          for (let from = 0; from < chosen.length; from += prompts) {
            const part = chosen.slice(from, from + prompts)
            const repeated = part.flatMap(({ prompt }) => Array.from({ length: k }, () => [...prompt]))
            const samples = yield* generate(sampler, params, repeated, split(split(key, name), from))
            part.forEach(({ prompt }, i) => {
              answers.push({ prompt, answers: Array.from({ length: k }, (_, j) => sampleAt(samples, i * k + j)) })
            })
            done++
            yield* emit({ type: "stage.step", step: done, steps, values: {}, amount: repeated.length, unit: "answers" })
          }
          return answers
        })
      return {
        train: yield* side(passages.train, train, "train"),
        heldOut: yield* side(passages.heldOut, heldOut, "held out"),
      }
    }),
})

/** The real tokens of a sample: its end-of-text included, nothing after it. */
export const sampleAt = ({ tokens, mask }: Samples, row: number): Int32Array => {
  const length = tokens.shape[1]!
  let real = 0
  for (let i = row * length; i < (row + 1) * length; i++) real += mask.data[i]!
  return Int32Array.from(tokens.data.subarray(row * length, row * length + real))
}
