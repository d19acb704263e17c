/** Tokens a second of sampling from the default GPT, with the key-value cache and without it. */
import { Engine, flatten, initParams, isParamSpec, keyFromSeed } from "@millrace/core"
import { compileSampler, compileSamplerWithoutCache, generate, gptParams } from "@millrace/models"
import { Effect } from "effect"

const [batch, promptLength, length] = [8, 8, 120]

export const gptSample = Effect.gen(function* () {
  const config = { vocab: 1024, context: 128, width: 256, layers: 4, heads: 4 }
  const engine = yield* Engine
  const params = yield* engine.allocate(initParams(flatten(gptParams(config), isParamSpec), keyFromSeed(1)))
  const prompts = Array.from({ length: batch }, (_, i) => Array.from({ length: promptLength }, (_, j) => i + j))
  const cached = yield* compileSampler(config, { batch, promptLength, length })
  const uncached = yield* compileSamplerWithoutCache(config, { batch, promptLength, length })
  const once = (sampler: typeof cached) => () =>
    Effect.runPromise(Effect.asVoid(generate(sampler, params, prompts, keyFromSeed(3))))
  return [
    { name: "sample with the cache, 120 tokens × batch 8", tokens: batch * length, run: once(cached) },
    { name: "sample without it", tokens: batch * length, run: once(uncached) },
  ] as const
})
