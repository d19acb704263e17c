/** Text from prompts. */
import { BadData, BadLength, type EngineError, type HostTensor, int32, type Key, type State } from "@millrace/core"
import { Effect } from "effect"
import type { GptConfig } from "../gpt.js"
import type { Sampler } from "./compileSampler.js"
import { drawRows } from "./drawRows.js"
import type { SamplerConfig } from "./samplerConfig.js"

/** Generated texts: a row for each prompt, a column for each generated token. */
export interface Samples {
  /** int32  n length. The end-of-text token, or 0 without one, where `mask` is 0. */
  readonly tokens: HostTensor
  /** 1 until the text has ended, its end-of-text token included. bool  n length */
  readonly mask: HostTensor
  /** Log-probability of each token under the model's own distribution (temperature 1, nothing filtered), in nats; 0 where masked. float32  n length */
  readonly logProb: HostTensor
  /** The same under the distribution that was sampled. float32  n length */
  readonly sampledLogProb: HostTensor
  /** Prompts, padded on the left, and what was generated. int32  n promptLength+length */
  readonly text: HostTensor
  /** Real tokens of `text`. bool  n promptLength+length */
  readonly textMask: HostTensor
}

const checkPrompts = (
  { vocab }: GptConfig,
  { promptLength }: SamplerConfig,
  prompts: ReadonlyArray<ReadonlyArray<number>>,
): Effect.Effect<void, BadLength | BadData> => {
  for (const [i, prompt] of prompts.entries()) {
    const where = `generate > prompt ${i}`
    if (prompt.length === 0) {
      return Effect.fail(
        new BadLength({
          where,
          expected: "a prompt of at least one token",
          received: "an empty prompt",
          fix: "begin with the end-of-text token to generate without a prompt",
        }),
      )
    }
    if (prompt.length > promptLength) {
      return Effect.fail(
        new BadLength({
          where,
          expected: `at most ${promptLength} tokens, for which the sampler was compiled`,
          received: `${prompt.length} tokens`,
          fix: `keep the prompt's last ${promptLength} tokens, or compile the sampler with a larger promptLength`,
        }),
      )
    }
    const bad = prompt.find((id) => !Number.isInteger(id) || id < 0 || id >= vocab)
    if (bad !== undefined) {
      return Effect.fail(
        new BadData({
          where,
          expected: `tokens from 0 to ${vocab - 1}`,
          received: `token ${bad}`,
          fix: "encode the prompt with the tokenizer that the model was trained with",
        }),
      )
    }
  }
  return Effect.void
}

/**
 * A continuation of each prompt. Prompts are padded and batched here; the work and its loop stay in the engine.
 *
 * The token of prompt i at step j is drawn with uniform number i · length + j of the key: it depends on the key, the
 * prompt's place and the step, not on the size of the batches.
 * @param policy   the parameters, under the names that training gives them
 * @param prompts  tokens of each prompt
 * @fails  BadLength  a prompt is empty or longer than the sampler's `promptLength`
 * @fails  BadData    a token is not in the vocabulary
 */
export const generate = (
  sampler: Sampler,
  policy: State,
  prompts: ReadonlyArray<ReadonlyArray<number>>,
  key: Key,
): Effect.Effect<Samples, BadLength | BadData | EngineError> =>
  Effect.gen(function* () {
    yield* checkPrompts(sampler.model, sampler.config, prompts)
    const { batch: b, promptLength: p, length } = sampler.config
    const n = prompts.length
    const kept = { token: "int32", mask: "bool", logProb: "float32", sampledLogProb: "float32" } as const
    const { token, mask, logProb, sampledLogProb } = yield* drawRows(
      { count: n, batch: b, length },
      key,
      kept,
      (rows, uniform) => {
        const batch = { tokens: new Int32Array(b * p), mask: new Float32Array(b * p), uniform }
        for (const [i, row] of rows.entries()) {
          const prompt = prompts[row]!
          batch.tokens.set(prompt, (i + 1) * p - prompt.length)
          batch.mask.fill(1, (i + 1) * p - prompt.length, (i + 1) * p)
        }
        return sampler.batch(policy, batch)
      },
    )
    const whole = p + length
    const text = new Int32Array(n * whole)
    const textMask = new Uint8Array(n * whole)
    for (const [i, prompt] of prompts.entries()) {
      const begin = i * whole + p
      text.set(prompt, begin - prompt.length)
      text.set(token.data.subarray(i * length, (i + 1) * length), begin)
      textMask.fill(1, begin - prompt.length, begin)
      textMask.set(mask.data.subarray(i * length, (i + 1) * length), begin)
    }
    return {
      tokens: token,
      mask,
      logProb,
      sampledLogProb,
      text: int32([n, whole], text),
      textMask: { dtype: "bool", shape: [n, whole], data: textMask },
    }
  })
