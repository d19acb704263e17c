/** What a sampler is compiled for. */
import { BadConfig, BadLength } from "@millrace/core"
import type { GptConfig } from "../gpt.js"
import type { SamplerBasis } from "./samplerBasis.js"
import { wrongTransform } from "./transform.js"

/** What a sampler is compiled for. */
export interface SamplerConfig extends SamplerBasis {
  /** Tokens of the longest prompt; shorter ones are padded on the left. */
  readonly promptLength: number
  /** Tokens to generate. */
  readonly length: number
  /** The token after which a sequence has ended; later ones are masked and are this token again. */
  readonly endOfText?: number
}

/**
 * Throws what is wrong with a sampler's config.
 * @throws BadConfig  every number that makes no sense, at once
 * @throws BadLength  prompt and generated tokens do not fit into the context
 */
export const checkSamplerConfig = (config: GptConfig, sampler: SamplerConfig): void => {
  const { batch, promptLength, length, endOfText = 0 } = sampler
  const wrong: Array<readonly [expected: string, received: string]> = []
  const size = (name: string, value: number): void => {
    if (!Number.isInteger(value) || value < 1) wrong.push([`${name} a whole number of at least 1`, `${name} ${value}`])
  }
  size("batch", batch)
  size("promptLength", promptLength)
  size("length", length)
  wrong.push(...wrongTransform(sampler))
  if (!Number.isInteger(endOfText) || endOfText < 0 || endOfText >= config.vocab) {
    wrong.push([`endOfText a token below ${config.vocab}`, `endOfText ${endOfText}`])
  }
  if (wrong.length > 0) {
    throw new BadConfig({
      where: "sampler",
      expected: wrong.map(([expected]) => expected).join("\n"),
      received: wrong.map(([, received]) => received).join("\n"),
      fix: "correct the sampler's config",
    })
  }
  if (promptLength + length > config.context) {
    throw new BadLength({
      where: "sampler",
      expected: `promptLength + length of at most ${config.context}, the model's context`,
      received: `${promptLength} + ${length} = ${promptLength + length}`,
      fix: "shorten the prompts or what is generated, or train a model with a longer context",
    })
  }
}
