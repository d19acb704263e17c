/** Text from prompts. */
import {
  BadData,
  BadLength,
  type EngineError,
  float32,
  type HostTensor,
  int32,
  type Key,
  random,
  type State,
} from "@millrace/core"
import { Effect } from "effect"
import type { GptConfig } from "../gpt.js"
import type { Sampler } from "./compileSampler.js"
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
    const uniform = random.uniform(key, [n, length]).data
    const tokens = new Int32Array(n * length)
    const mask = new Uint8Array(n * length)
    const logProb = new Float32Array(n * length)
    const sampledLogProb = new Float32Array(n * length)
    const text = new Int32Array(n * (p + length))
    const textMask = new Uint8Array(n * (p + length))
    for (let from = 0; from < n; from += b) {
      const batch = {
        tokens: new Int32Array(b * p),
        mask: new Float32Array(b * p),
        uniform: new Float32Array(length * b),
      }
      for (let i = 0; i < b; i++) {
        // A batch that is not full repeats its last prompt.
        const at = Math.min(from + i, n - 1)
        const prompt = prompts[at]!
        batch.tokens.set(prompt, (i + 1) * p - prompt.length)
        batch.mask.fill(1, (i + 1) * p - prompt.length, (i + 1) * p)
        for (let j = 0; j < length; j++) batch.uniform[j * b + i] = uniform[at * length + j]!
      }
      const out = yield* sampler.batch(policy, batch)
      for (let i = 0; i < b && from + i < n; i++) {
        const [row, textRow] = [(from + i) * length, (from + i) * (p + length)]
        text.set(batch.tokens.subarray(i * p, (i + 1) * p), textRow)
        textMask.set(batch.mask.subarray(i * p, (i + 1) * p), textRow)
        for (let j = 0; j < length; j++) {
          const at = j * b + i
          tokens[row + j] = out.token!.data[at]!
          mask[row + j] = out.mask!.data[at]!
          logProb[row + j] = out.logProb!.data[at]!
          sampledLogProb[row + j] = out.sampledLogProb!.data[at]!
        }
        text.set(tokens.subarray(row, row + length), textRow + p)
        textMask.set(mask.subarray(row, row + length), textRow + p)
      }
    }
    const bool = (width: number, data: Uint8Array): HostTensor => ({ dtype: "bool", shape: [n, width], data })
    return {
      tokens: int32([n, length], tokens),
      mask: bool(length, mask),
      logProb: float32([n, length], logProb),
      sampledLogProb: float32([n, length], sampledLogProb),
      text: int32([n, p + length], text),
      textMask: bool(p + length, textMask),
    }
  })
