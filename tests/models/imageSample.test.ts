import {
  BadConfig,
  BadData,
  BadLength,
  captureSync,
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
  compileImageSampler,
  compileImageSamplerWithoutCache,
  generateCodes,
  type ImageSamplerConfig,
  type ImageSamples,
  imageSamplerFunctions,
  type SparseConfig,
  sparseParams,
} from "@millrace/models"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import { testParams } from "./reference/params.js"
import { referenceSparse } from "./reference/sparse.js"

/** Row, column, row, row, column and convolution, and an oblong image. */
const model: SparseConfig = {
  textVocab: 7,
  imageVocab: 6,
  text: 4,
  rows: 4,
  columns: 3,
  width: 8,
  layers: 6,
  heads: 2,
  kernel: 3,
}
const size = 12
const shapesOf = (config: SparseConfig) => flatten(sparseParams(config), isParamSpec)
const flat = testParams(sparseParams(model), 2, 0.35)
const params = (prefix = ""): HostTensors =>
  Object.fromEntries(
    Object.entries(shapesOf(model)).map(([name, { shape }]) => [prefix + name, float32(shape, flat[name]!)]),
  )

const captions = [[1], [2, 3, 4, 5], [], [6, 6], [0, 1, 2]]
const base: ImageSamplerConfig = { batch: 2 }
const transforms = { temperature: 0.8, topK: 5, topP: 0.9 }
const key = keyFromSeed(11)

const sampled = (
  sampler: ImageSamplerConfig,
  options: {
    readonly compile?: typeof compileImageSampler
    readonly captions?: ReadonlyArray<ReadonlyArray<number>>
    readonly seed?: number
    readonly params?: HostTensors
    readonly model?: SparseConfig
  } = {},
) =>
  Effect.gen(function* () {
    const { compile = compileImageSampler } = options
    const engine = yield* Engine
    const policy = yield* engine.allocate(options.params ?? params(sampler.prefix))
    const compiled = yield* compile(options.model ?? model, sampler)
    const { seed } = options
    return yield* generateCodes(
      compiled,
      policy,
      options.captions ?? captions,
      seed === undefined ? key : keyFromSeed(seed),
    )
  })

/** One child process an engine, for all tests. */
const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 1 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))

const run = <A, E>(engine: string, effect: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
  runtimes.get(engine)!.runPromise(Effect.scoped(effect))

const rows = (tensor: ImageSamples["codes"]): Array<Array<number>> => {
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
  test("sampling with the cache equals a full forward for every code", async () => {
    const [cached, full] = await run(
      engine,
      Effect.all([
        sampled({ ...base, ...transforms }),
        sampled({ ...base, ...transforms }, { compile: compileImageSamplerWithoutCache }),
      ]),
    )
    expect(rows(cached.codes)).toEqual(rows(full.codes))
    expect(new Set(cached.codes.data).size).toBeGreaterThan(3)
    expect(largest(cached.logProb.data, full.logProb.data)).toBeLessThanOrEqual(1e-5)
    expect(largest(cached.sampledLogProb.data, full.sampledLogProb.data)).toBeLessThanOrEqual(1e-5)
  })

  test("log-probabilities are the float64 model's own, whatever distribution was sampled", async () => {
    const samples = await run(engine, sampled({ ...base, ...transforms }))
    const logProb = rows(samples.logProb)
    rows(samples.codes).forEach((codes, i) => {
      const { image } = referenceSparse(model, flat, { caption: captions[i]!, codes })
      codes.forEach((code, j) => {
        expect(Math.abs(logProb[i]![j]! - logSoftmax(image[j]!)[code]!)).toBeLessThanOrEqual(2e-5)
      })
    })
  })

  test("at temperature 0 each code is the float64 model's most probable one", async () => {
    const samples = await run(engine, sampled({ ...base, temperature: 0 }))
    rows(samples.codes).forEach((codes, i) => {
      const { image } = referenceSparse(model, flat, { caption: captions[i]!, codes })
      expect(codes).toEqual(image.map((here) => here.indexOf(Math.max(...here))))
    })
    expect([...samples.sampledLogProb.data].map(Math.abs)).toEqual(Array(captions.length * size).fill(0))
  })

  test("one key gives one image, another key another", async () => {
    const [first, again, other] = await run(
      engine,
      Effect.all([sampled(base), sampled(base), sampled(base, { seed: 12 })]),
    )
    expect(again).toEqual(first)
    expect(rows(other.codes)).not.toEqual(rows(first.codes))
  })

  test("a batch of another size, or one that is not full, changes no image", async () => {
    const [two, three, five] = await run(
      engine,
      Effect.all([sampled(base), sampled({ batch: 3 }), sampled({ batch: 5 })]),
    )
    expect(rows(three.codes)).toEqual(rows(two.codes))
    expect(rows(five.codes)).toEqual(rows(two.codes))
  })

  test("one sampler serves one policy after another, and its cache keeps nothing of the last", async () => {
    const other = initParams(shapesOf(model), keyFromSeed(5))
    const [first, second, alone] = await run(
      engine,
      Effect.gen(function* () {
        const runtime = yield* Engine
        const [a, b] = [yield* runtime.allocate(params()), yield* runtime.allocate(other)]
        const compiled = yield* compileImageSampler(model, base)
        const made = [
          yield* generateCodes(compiled, a, captions, key),
          yield* generateCodes(compiled, b, captions, key),
        ] as const
        return [...made, yield* sampled(base, { params: other })] as const
      }),
    )
    expect(second).toEqual(alone)
    expect(rows(second.codes)).not.toEqual(rows(first.codes))
  })

  test("frozen weights, and weights under a graph's names, draw the same codes", async () => {
    const [plain, frozen, named] = await run(
      engine,
      Effect.all([sampled(base), sampled({ ...base, frozen: true }), sampled({ ...base, prefix: "model." })]),
    )
    expect(rows(frozen.codes)).toEqual(rows(plain.codes))
    expect(rows(named.codes)).toEqual(rows(plain.codes))
  })

  test("an image of a single code, and a last layer that shows a token itself alone, are sampled as in full", async () => {
    for (const small of [
      { ...model, rows: 1, columns: 1 },
      { ...model, layers: 1, kernel: 1 },
    ]) {
      const given = { model: small, params: initParams(shapesOf(small), keyFromSeed(3)) }
      const [cached, full] = await run(
        engine,
        Effect.all([sampled(base, given), sampled(base, { ...given, compile: compileImageSamplerWithoutCache })]),
      )
      expect(rows(cached.codes)).toEqual(rows(full.codes))
      expect(cached.codes.shape).toEqual([captions.length, small.rows * small.columns])
    }
  })

  test("no captions give no images", async () => {
    const samples = await run(engine, sampled(base, { captions: [] }))
    expect(samples.codes.shape).toEqual([0, size])
  })
})

test("a step computes no value as large as the scores of all pairs of positions, nor as the whole cache", () => {
  const wide = { ...model, text: 8, rows: 16, columns: 16, kernel: 5 }
  const [slots, e] = [wide.rows * wide.columns - 1, wide.width / wide.heads]
  const { equations, outputs } = captureSync(imageSamplerFunctions(wide, { batch: 1 }).step)
  // The written tables themselves are the engine's: rows that it writes in place.
  const tables = new Set(outputs.filter(({ slot }) => slot === "cache").map(({ value }) => value.id))
  const made = equations
    .filter(({ op }) => !["TensorScatterUpdate", "Reshape"].includes(op))
    .flatMap(({ outputs }) => outputs.filter(({ id }) => !tables.has(id)))
  const largestValue = Math.max(...made.map(({ shape }) => shape.reduce((n, d) => n * d, 1)))
  expect(tables.size).toBe(2 * wide.layers)
  expect(largestValue).toBeLessThan(wide.heads * slots * e)
})

describe("refusals", () => {
  const refused = (sampler: ImageSamplerConfig, of: ReadonlyArray<ReadonlyArray<number>> = captions) =>
    run("tfjs:cpu", Effect.flip(sampled(sampler, { captions: of })))

  test.each([
    ["a caption longer than the model's text", base, [[1], [1, 2, 3, 4, 5]], BadLength, /caption 1[\s\S]*5 tokens/],
    ["a padding as a token", base, [[7]], BadData, /token 7/],
    ["a negative temperature", { ...base, temperature: -1 }, captions, BadConfig, /temperature -1/],
    ["a batch of 0 and a top-p above 1, together", { batch: 0, topP: 2 }, captions, BadConfig, /batch 0[\s\S]*topP 2/],
  ] as const)("%s is refused", async (_, sampler, of, type, message) => {
    const error = await refused(sampler, of)
    expect(error).toBeInstanceOf(type)
    expect(error.message).toMatch(message)
  })
})
