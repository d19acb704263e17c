import {
  BadConfig,
  BadData,
  BadLength,
  Engine,
  Engines,
  flatten,
  float32,
  type HostTensors,
  initParams,
  isParamSpec,
  keyFromSeed,
} from "@millrace/core"
import {
  compileSampler,
  compileSamplerWithoutCache,
  type GptConfig,
  generate,
  gptParams,
  type SamplerConfig,
  type Samples,
} from "@millrace/models"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import { referenceLogits } from "./reference/gpt.js"
import { testParams } from "./reference/params.js"

const model: GptConfig = { vocab: 13, context: 12, width: 8, layers: 2, heads: 2 }
const flat = testParams(gptParams(model), 2, 0.5)
const shapes = flatten(gptParams(model), isParamSpec)
const params = (prefix = ""): HostTensors =>
  Object.fromEntries(Object.entries(shapes).map(([name, { shape }]) => [prefix + name, float32(shape, flat[name]!)]))

const prompts = [[1], [2, 3, 4, 5], [6, 7], [3, 3, 3], [12, 0]]
const base: SamplerConfig = { batch: 2, promptLength: 4, length: 6 }
const key = keyFromSeed(11)

type Compile = typeof compileSampler

const sampled = (
  sampler: SamplerConfig,
  options: {
    readonly compile?: Compile
    readonly prompts?: ReadonlyArray<ReadonlyArray<number>>
    readonly seed?: number
    readonly params?: HostTensors
  } = {},
) =>
  Effect.gen(function* () {
    const { compile = compileSampler } = options
    const engine = yield* Engine
    const policy = yield* engine.allocate(options.params ?? params(sampler.prefix))
    const compiled = yield* compile(model, sampler)
    const { seed } = options
    return yield* generate(compiled, policy, options.prompts ?? prompts, seed === undefined ? key : keyFromSeed(seed))
  })

/** One child process an engine, for all tests. */
const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 1 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))

const run = <A, E>(engine: string, effect: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
  runtimes.get(engine)!.runPromise(Effect.scoped(effect))

const rows = (tensor: Samples["tokens"]): Array<Array<number>> => {
  const width = tensor.shape[1]!
  return Array.from({ length: tensor.shape[0]! }, (_, i) => [...tensor.data.subarray(i * width, (i + 1) * width)])
}

const logSoftmax = (logits: ReadonlyArray<number>): Array<number> => {
  const top = Math.max(...logits)
  const log = top + Math.log(logits.reduce((z, l) => z + Math.exp(l - top), 0))
  return logits.map((l) => l - log)
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length)
  return Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]!)))
}

describe.each(["tfjs:cpu", "onnx"])("on %s", (engine) => {
  const transforms = { temperature: 0.8, topK: 9, topP: 0.9 }

  test("sampling with the cache equals a full forward for every token", async () => {
    const [cached, full] = await run(
      engine,
      Effect.all([
        sampled({ ...base, ...transforms }),
        sampled({ ...base, ...transforms }, { compile: compileSamplerWithoutCache }),
      ]),
    )
    expect(rows(cached.tokens)).toEqual(rows(full.tokens))
    expect(largest(cached.logProb.data, full.logProb.data)).toBeLessThanOrEqual(1e-5)
    expect(largest(cached.sampledLogProb.data, full.sampledLogProb.data)).toBeLessThanOrEqual(1e-5)
  })

  test("log-probabilities are the float64 model's own, whatever distribution was sampled", async () => {
    const samples = await run(engine, sampled({ ...base, ...transforms }))
    const logProb = rows(samples.logProb)
    rows(samples.tokens).forEach((tokens, i) => {
      const text = [...prompts[i]!, ...tokens]
      const logits = referenceLogits(model, flat, text)
      tokens.forEach((token, j) => {
        const expected = logSoftmax(logits[prompts[i]!.length + j - 1]!)[token]!
        expect(Math.abs(logProb[i]![j]! - expected)).toBeLessThanOrEqual(2e-5)
      })
    })
  })

  test("greedy sampling takes the float64 model's most probable token", async () => {
    const samples = await run(engine, sampled({ ...base, temperature: 0 }))
    rows(samples.tokens).forEach((tokens, i) => {
      const logits = referenceLogits(model, flat, [...prompts[i]!, ...tokens])
      tokens.forEach((token, j) => {
        const here = logits[prompts[i]!.length + j - 1]!
        expect(token).toBe(here.indexOf(Math.max(...here)))
      })
    })
    expect([...samples.sampledLogProb.data].map(Math.abs)).toEqual(Array(prompts.length * base.length).fill(0))
  })

  test("one key gives one text, another key another", async () => {
    const [first, again, other] = await run(
      engine,
      Effect.all([sampled(base), sampled(base), sampled(base, { seed: 12 })]),
    )
    expect(again).toEqual(first)
    expect(rows(other.tokens)).not.toEqual(rows(first.tokens))
  })

  test("a batch of another size, or one that is not full, changes no text", async () => {
    const [two, three, five] = await run(
      engine,
      Effect.all([sampled(base), sampled({ ...base, batch: 3 }), sampled({ ...base, batch: 5 })]),
    )
    expect(rows(three.tokens)).toEqual(rows(two.tokens))
    expect(rows(five.tokens)).toEqual(rows(two.tokens))
  })

  test("one sampler serves one policy after another, and its cache keeps nothing of the last", async () => {
    const other = initParams(shapes, keyFromSeed(5))
    const [first, second, alone] = await run(
      engine,
      Effect.gen(function* () {
        const runtime = yield* Engine
        const [a, b] = [yield* runtime.allocate(params()), yield* runtime.allocate(other)]
        const compiled = yield* compileSampler(model, base)
        const made = [yield* generate(compiled, a, prompts, key), yield* generate(compiled, b, prompts, key)] as const
        return [...made, yield* sampled(base, { params: other })] as const
      }),
    )
    expect(second).toEqual(alone)
    expect(rows(second.tokens)).not.toEqual(rows(first.tokens))
  })

  test("weights that are not finite leave nothing behind for the next text", async () => {
    const spoilt = Object.fromEntries(
      Object.entries(params()).map(([name, { shape, data }]) => [
        name,
        float32(
          shape,
          data.map(() => Number.NaN),
        ),
      ]),
    )
    const [bad, second, alone] = await run(
      engine,
      Effect.gen(function* () {
        const runtime = yield* Engine
        const [a, b] = [yield* runtime.allocate(spoilt), yield* runtime.allocate(params())]
        const compiled = yield* compileSampler(model, base)
        const made = [yield* generate(compiled, a, prompts, key), yield* generate(compiled, b, prompts, key)] as const
        return [...made, yield* sampled(base)] as const
      }),
    )
    expect([...bad.logProb.data].some(Number.isNaN)).toBe(true)
    expect(second).toEqual(alone)
  })

  test("prompts of one token need no prefill", async () => {
    const [cached, full] = await run(
      engine,
      Effect.all([
        sampled({ ...base, promptLength: 1 }, { prompts: [[1], [2], [3]] }),
        sampled({ ...base, promptLength: 1 }, { prompts: [[1], [2], [3]], compile: compileSamplerWithoutCache }),
      ]),
    )
    expect(rows(cached.tokens)).toEqual(rows(full.tokens))
  })

  test("after the end of a text everything is masked, and nothing before it changes", async () => {
    const free = await run(engine, sampled(base))
    // A token that some text has in the middle, so that the end is met.
    const endOfText = rows(free.tokens)[1]![2]!
    const ended = await run(engine, sampled({ ...base, endOfText }))
    const [logProb, mask] = [rows(ended.logProb), rows(ended.mask)]
    rows(ended.tokens).forEach((tokens, i) => {
      const before = rows(free.tokens)[i]!
      const end = before.indexOf(endOfText)
      const length = end === -1 ? base.length : end + 1
      expect(tokens).toEqual(before.map((token, j) => (j < length ? token : endOfText)))
      expect(mask[i]).toEqual(before.map((_, j) => (j < length ? 1 : 0)))
      expect(logProb[i]!.slice(length).map(Math.abs)).toEqual(before.slice(length).map(() => 0))
    })
  })

  test("the whole text is the prompt, padded on the left, and what was generated", async () => {
    const samples = await run(engine, sampled(base))
    rows(samples.text).forEach((text, i) => {
      const padding = base.promptLength - prompts[i]!.length
      expect(text).toEqual([...Array(padding).fill(0), ...prompts[i]!, ...rows(samples.tokens)[i]!])
      expect(rows(samples.textMask)[i]).toEqual(text.map((_, t) => (t < padding ? 0 : 1)))
    })
  })

  test("frozen weights sample the same tokens, with log-probabilities within 1e-6, also after they were written anew", async () => {
    const other = initParams(shapes, keyFromSeed(5))
    const [frozen, plain] = await run(
      engine,
      Effect.forEach([true, false], (frozen) =>
        Effect.gen(function* () {
          const policy = yield* (yield* Engine).allocate(params())
          const compiled = yield* compileSampler(model, { ...base, ...transforms, frozen })
          const before = yield* generate(compiled, policy, prompts, key)
          const again = yield* generate(compiled, policy, prompts, key)
          yield* policy.write(other)
          return [before, again, yield* generate(compiled, policy, prompts, key)] as const
        }),
      ),
    )
    frozen!.forEach((samples, i) => {
      // Constants may be packed otherwise than inputs, so that sums are rounded otherwise. A draw turns out otherwise only
      // where its number lies within that rounding of the border between two tokens: here none does.
      expect(rows(samples.tokens)).toEqual(rows(plain![i]!.tokens))
      expect(largest(samples.logProb.data, plain![i]!.logProb.data)).toBeLessThanOrEqual(1e-6)
    })
    expect(frozen![1]).toEqual(frozen![0])
    expect(rows(frozen![2]!.tokens)).not.toEqual(rows(frozen![0]!.tokens))
  })

  test("parameters are found under a node's name", async () => {
    const [plain, named] = await run(engine, Effect.all([sampled(base), sampled({ ...base, prefix: "logits." })]))
    expect(named).toEqual(plain)
  })

  test("no prompts give no texts", async () => {
    const samples = await run(engine, sampled(base, { prompts: [] }))
    expect(samples.tokens.shape).toEqual([0, 6])
  })
})

describe("refusals", () => {
  const refused = (sampler: SamplerConfig, of: ReadonlyArray<ReadonlyArray<number>> = prompts) =>
    run("tfjs:cpu", Effect.flip(sampled(sampler, { prompts: of })))

  test.each([
    ["a prompt longer than the sampler's", base, [[1, 2, 3, 4, 5]], BadLength, /5 tokens/],
    ["an empty prompt", base, [[1], []], BadLength, /prompt 1[\s\S]*empty/],
    ["prompt and text beyond the context", { ...base, length: 9 }, prompts, BadLength, /4 \+ 9 = 13/],
    ["a token outside of the vocabulary", base, [[13]], BadData, /token 13/],
    ["a negative temperature", { ...base, temperature: -1 }, prompts, BadConfig, /temperature -1/],
    ["a top-p of 0", { ...base, topP: 0 }, prompts, BadConfig, /topP 0/],
    ["a top-k of 0", { ...base, topK: 0 }, prompts, BadConfig, /topK 0/],
    ["an end of text outside of the vocabulary", { ...base, endOfText: 13 }, prompts, BadConfig, /endOfText 13/],
  ] as const)("%s is refused", async (_, sampler, of, type, message) => {
    const error = await refused(sampler, of)
    expect(error).toBeInstanceOf(type)
    expect(error.message).toMatch(message)
  })

  test("several mistakes come in one error", async () => {
    expect((await refused({ ...base, batch: 0, topP: 2 })).message).toMatch(/batch 0[\s\S]*topP 2/)
  })
})
