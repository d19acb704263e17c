/** Sampling embeddings code by code, on engines. The laws of its tensor functions are in tests/laws/codeSamplerLaws.ts. */
import {
  BadConfig,
  BadData,
  Engine,
  Engines,
  flatten,
  float32,
  type HostTensor,
  type HostTensors,
  int32,
  isParamSpec,
  keyFromSeed,
  ShapeMismatch,
} from "@millrace/core"
import {
  type AutoregressivePriorConfig,
  type AutoregressivePriorSamplerConfig,
  autoregressivePriorParams,
  type Captions,
  compileAutoregressivePriorSampler,
  compileAutoregressivePriorSamplerWithoutCache,
  type EmbeddingCodes,
  sampleEmbeddingCodes,
} from "@millrace/models"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import { testParams } from "./reference/params.js"

const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 1 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))
const run = <A, E>(engine: string, effect: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
  runtimes.get(engine)!.runPromise(Effect.scoped(effect))

const [t, w, k, c, v] = [4, 3, 5, 6, 7]
/** Two layers, and a caption that another network encoded. */
const model: AutoregressivePriorConfig = {
  embedding: c,
  text: { context: t, encoded: w },
  codes: k,
  buckets: v,
  dotBuckets: 4,
  width: 8,
  layers: 2,
  heads: 2,
  dropped: "learned",
}

const waves = (shape: ReadonlyArray<number>, from: number): HostTensor =>
  float32(
    shape,
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(3.7 * i + from)),
  )
const dots = [0.1, 0.5, 0.3, 0.9, 0.7]
const base: AutoregressivePriorSamplerConfig = {
  batch: 2,
  pca: { mean: waves([c], 1), axes: waves([k, c], 2), variances: float32([k], [5, 4, 3, 2, 1]) },
  range: { low: float32([k], [-2, -1, -1, -3, 0]), high: float32([k], [2, 1, 3, 1, 1]) },
  dots: float32([5], dots),
  dotRange: { low: float32([1], [0]), high: float32([1], [1]) },
}
const transforms = { temperature: 0.8, topK: 6, topP: 0.95 }

const n = 5
const lengths = [0, 1, 4, 2, 3]
const captions: Captions = {
  textEmbedding: waves([n, c], 3),
  text: waves([n, t, w], 4),
  mask: float32(
    [n, t],
    lengths.flatMap((length) => Array.from({ length: t }, (_, i) => (i < length ? 1 : 0))),
  ),
}
const paramsOf = (config: AutoregressivePriorConfig, prefix = ""): HostTensors => {
  const specs = autoregressivePriorParams(config)
  const flat = testParams(specs, 1, 0.4)
  return Object.fromEntries(
    Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => [
      prefix + name,
      float32(shape, flat[name]!),
    ]),
  )
}

const sampled = (
  config: Partial<AutoregressivePriorSamplerConfig> = {},
  {
    compile = compileAutoregressivePriorSampler,
    of = model,
    seed = 7,
    given = captions,
  }: {
    readonly compile?: typeof compileAutoregressivePriorSampler
    readonly of?: AutoregressivePriorConfig
    readonly seed?: number
    readonly given?: Captions
  } = {},
): Effect.Effect<EmbeddingCodes, unknown, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const policy = yield* (yield* Engine).allocate(paramsOf(of, config.prefix))
    const sampler = yield* compile(of, { ...base, ...config })
    return yield* sampleEmbeddingCodes(sampler, policy, given, keyFromSeed(seed))
  })

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length)
  return Array.from(a).reduce((top, x, i) => Math.max(top, Math.abs(x - b[i]!)), 0)
}
const agree = (a: EmbeddingCodes, b: EmbeddingCodes): void => {
  expect([...a.codes.data]).toEqual([...b.codes.data])
  expect([...a.dots.data]).toEqual([...b.dots.data])
  for (const name of ["embeddings", "logProb", "sampledLogProb"] as const)
    expect(worst(a[name].data, b[name].data)).toBeLessThan(2e-5)
}

describe.each(["onnx", "tfjs:cpu"])("on %s", (engine) => {
  test.each([
    ["alone", {}],
    ["filtered", transforms],
    ["guided", { ...transforms, guidance: 2.5 }],
  ])("the cache draws what a full forward for every code draws, %s", async (_, config) => {
    const [cached, full] = await run(
      engine,
      Effect.all([sampled(config), sampled(config, { compile: compileAutoregressivePriorSamplerWithoutCache })]),
    )
    agree(cached, full)
    expect(new Set(cached.codes.data).size).toBeGreaterThan(3)
  })

  test("a batch of another size, a name in front of the weights, or weights that are built in change nothing", async () => {
    const config = { ...transforms, guidance: 2 }
    const [two, five, named, frozen] = await run(
      engine,
      Effect.all([
        sampled(config),
        sampled({ ...config, batch: 5 }),
        sampled({ ...config, prefix: "prior." }),
        sampled({ ...config, frozen: true }),
      ]),
    )
    agree(five, two)
    agree(named, two)
    agree(frozen, two)
  })
})

test("one key gives one row of codes, another key another", async () => {
  const [first, again, other] = await run("onnx", Effect.all([sampled(), sampled(), sampled({}, { seed: 8 })]))
  expect(again).toEqual(first)
  expect([...other.codes.data]).not.toEqual([...first.codes.data])
})

test("engines draw the same codes", async () => {
  const [onnx, eager] = await Promise.all(["onnx", "tfjs:cpu"].map((engine) => run(engine, sampled({ guidance: 2 }))))
  agree(onnx!, eager!)
})

test("every dot product that is asked for is one of the upper half, and each of them is", async () => {
  const many = 60
  const given: Captions = {
    textEmbedding: waves([many, c], 3),
    text: waves([many, t, w], 4),
    mask: waves([many, t], 5),
  }
  const made = await run("onnx", sampled({ batch: 20 }, { given }))
  const asked = [...new Set(made.dots.data)].sort()
  expect(asked).toEqual([0.5, 0.7, 0.9].map(Math.fround))
})

test("embeddings are the mean and the middles of their codes' buckets along the axes", async () => {
  const { codes, embeddings } = await run("onnx", sampled())
  const { pca, range } = base
  const expected = Array.from({ length: n * c }, (_, at) => {
    const [i, j] = [Math.floor(at / c), at % c]
    const along = Array.from({ length: k }, (__, l) => {
      const [low, high] = [range.low.data[l]!, range.high.data[l]!]
      return (low + ((codes.data[i * k + l]! + 0.5) / v) * (high - low)) * pca.axes.data[l * c + j]!
    })
    return along.reduce((sum, x) => sum + x, pca.mean.data[j]!)
  })
  expect(worst(embeddings.data, expected)).toBeLessThan(1e-5)
})

test("an embedding of one code needs no step", async () => {
  const of = { ...model, codes: 1 }
  const one = (tensor: HostTensor, length: number): HostTensor =>
    float32([1, ...tensor.shape.slice(1)], tensor.data.slice(0, length))
  const config = {
    pca: { mean: base.pca.mean, axes: one(base.pca.axes, c), variances: float32([1], [1]) },
    range: { low: one(base.range.low, 1), high: one(base.range.high, 1) },
  }
  const [cached, full] = await run(
    "onnx",
    Effect.all([
      sampled(config, { of }),
      sampled(config, { of, compile: compileAutoregressivePriorSamplerWithoutCache }),
    ]),
  )
  agree(cached, full)
})

test("numbers that make no sense are refused at once, and captions of another shape, and no dot products", async () => {
  const bad = await run(
    "tfjs:cpu",
    Effect.flip(sampled({ batch: 0, topP: 0, pca: { ...base.pca, mean: float32([2], [0, 0]) } })),
  )
  expect(bad).toBeInstanceOf(BadConfig)
  expect((bad as BadConfig).received.split("\n")).toHaveLength(3)
  const given = { ...captions, text: int32([n, t], new Int32Array(n * t)) }
  expect(await run("tfjs:cpu", Effect.flip(sampled({}, { given })))).toBeInstanceOf(ShapeMismatch)
  expect(await run("tfjs:cpu", Effect.flip(sampled({ dots: float32([0], []) })))).toBeInstanceOf(BadData)
})
