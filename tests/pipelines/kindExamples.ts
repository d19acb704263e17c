/** Small values of every kind of artifact that can be read, drawn by chance. */
import {
  type ArtifactKind,
  type BadData,
  canonicalJson,
  encodeSafetensors,
  type Files,
  flatten,
  float32,
  type HostTensor,
  type HostTensors,
  initParams,
  isParamSpec,
  keyFromSeed,
  type ParamSpec,
} from "@millrace/core"
import {
  autoregressivePriorParams,
  clipParams,
  decoderParams,
  dvaeDecoderParams,
  dvaeEncoderParams,
  gptParams,
  priorParams,
  rewardParams,
  sparseParams,
  type Tokenizer,
  trainBpe,
  upsamplerParams,
} from "@millrace/models"
import * as pipelines from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"

/** A kind with values of it, whatever their type: as the files that they give, and read and written again. */
export interface KindExample {
  readonly name: string
  readonly files: fc.Arbitrary<Files>
  /** Undefined where the kind cannot be read. */
  readonly again: ((files: Files) => Effect.Effect<Files, BadData>) | undefined
}

const example = <V>(kind: ArtifactKind<string, V>, values: fc.Arbitrary<V>): KindExample => {
  const { read } = kind
  return {
    name: kind.name,
    files: values.map((value) => kind.files(value)),
    again: read === undefined ? undefined : (files) => Effect.map(read(files), (value) => kind.files(value)),
  }
}

// --- parts

const count = (max: number, min = 1) => fc.integer({ min, max })
const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, 1e-308, Number.MAX_SAFE_INTEGER, 0.1 + 0.2),
)
const text = fc.string({ unit: "grapheme", maxLength: 8 })
const key = fc.oneof(
  text,
  fc.constantFrom("constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "1", "0"),
)
const record = <T>(values: fc.Arbitrary<T>) =>
  fc
    .array(fc.tuple(key, values), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries.filter(([name]) => name !== "__proto__")))
const token = fc.oneof(count(300, 0), fc.constant(2 ** 31 - 1))
const tokens = (maxLength = 5, minLength = 0) =>
  fc.array(token, { minLength, maxLength }).map((row) => Int32Array.from(row))
const rows = <T>(row: fc.Arbitrary<T>) => fc.array(row, { maxLength: 3 })
const split = <T>(row: fc.Arbitrary<T>) => fc.record({ train: rows(row), heldOut: rows(row) })
const captions = (minLength = 1) => fc.array(text, { minLength, maxLength: 3 })

const floats = (shape: ReadonlyArray<number>): fc.Arbitrary<HostTensor> => {
  const length = shape.reduce((n, d) => n * d, 1)
  return fc
    .float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true })
    .map((data) => float32(shape, data))
}

/** First values of parameters: all zeros and ones would hide tensors that have changed places. */
const paramsOf = (specs: Readonly<Record<string, ParamSpec>>, seed: number): HostTensors =>
  initParams(
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => [name, { shape, init: { kind: "normal", std: 1 } } as const]),
    ),
    keyFromSeed(seed),
  )
const seed = count(1000)

const corpus = [
  "good judges judge goods well",
  "a red cube left of a blue ball, a blue ball right of a red cube 2 2 2 2",
]
const tokenizerOf = (vocab: number, special: ReadonlyArray<string>): Promise<Tokenizer> =>
  Effect.runPromise(trainBpe(corpus, { vocab, special }))
const tokenizers = await Promise.all([
  tokenizerOf(257, ["<|endoftext|>"]),
  tokenizerOf(266, ["<|endoftext|>", "<|image|>"]),
  tokenizerOf(270, ["<|endoftext|>"]),
])
const tokenizer = fc.constantFrom(...tokenizers)

// --- models

const gpt = fc.record({
  config: fc
    .record(
      {
        vocab: count(7),
        context: count(4),
        heads: count(2),
        layers: count(2),
        mlp: count(5),
        tied: fc.boolean(),
        init: fc.constantFrom("gpt2" as const, "nanogpt" as const, "lm-hp" as const),
      },
      { requiredKeys: ["vocab", "context", "heads", "layers"] },
    )
    .map((config) => ({ ...config, width: config.heads * 2 })),
  seed,
})

const languageModel = gpt.map(({ config, seed }) => ({
  config,
  params: paramsOf(flatten(gptParams(config), isParamSpec), seed),
}))

const discreteVae = fc
  .record({
    vocab: count(4),
    rows: count(2),
    columns: count(2),
    groups: count(2),
    blocks: count(2),
    first: count(3),
    seed,
  })
  .map(({ seed, ...shape }) => {
    const config = { ...shape, width: 4 }
    const tree = { encoder: dvaeEncoderParams(config), decoder: dvaeDecoderParams(config) }
    return { config, params: paramsOf(flatten<ParamSpec>(tree, isParamSpec), seed) }
  })

const sparse = fc
  .record(
    {
      textVocab: count(5),
      imageVocab: count(5),
      text: count(3),
      rows: count(2),
      columns: count(2),
      layers: count(2),
      heads: count(2),
      kernel: fc.constantFrom(3, 5),
      seed,
    },
    { requiredKeys: ["textVocab", "imageVocab", "text", "rows", "columns", "layers", "heads", "seed"] },
  )
  .map(({ seed, ...shape }) => {
    const config = { ...shape, width: shape.heads * 2 }
    return { config, params: paramsOf(flatten(sparseParams(config), isParamSpec), seed) }
  })

const tower = fc.constant({ width: 4, layers: 1, heads: 2 })
const clipImage = fc.oneof(
  tower.map((shape) => ({ kind: "vit" as const, size: 4, patch: 2, ...shape })),
  fc
    .constantFrom("batch" as const, "running" as const)
    .map((norm) => ({ kind: "resnet" as const, size: 32, width: 2, stages: [1, 2, 1, 1] as const, norm, heads: 2 })),
)
const clip = fc.record({ image: clipImage, joint: count(4), tower, tokenizer, seed }).map((drawn) => {
  const config = {
    joint: drawn.joint,
    image: drawn.image,
    text: { vocab: drawn.tokenizer.size, context: 3, ...drawn.tower },
  }
  const specs = flatten<ParamSpec>(clipParams(config), isParamSpec)
  return { config, params: paramsOf(specs, drawn.seed), tokenizer: drawn.tokenizer }
})

const schedule = fc.record({ kind: fc.constantFrom("linear" as const, "cosine" as const), steps: count(30) })
const diffusion = fc.record({
  schedule,
  parametrisation: fc.constantFrom("noise" as const, "start" as const, "velocity" as const),
  variance: fc.constantFrom("fixed-small" as const, "learned-range" as const),
})
const unet = { size: 4, width: 4, multipliers: [1, 2], blocks: 1, attention: [2], headWidth: 4, groups: 2 }
const imageDecoder = fc
  .record({
    diffusion,
    tokenizer,
    seed,
    kind: fc.constantFrom("encoder", "clip"),
    dropped: fc.constantFrom("learned" as const, "zero" as const),
  })
  .map(({ diffusion, tokenizer, seed, kind, dropped }) => {
    const encoder = { vocab: tokenizer.size, context: 3, width: 4, layers: 1, heads: 2 }
    const config = {
      unet: { ...unet, context: 4, output: 6 },
      text: kind === "clip" ? { kind: "clip" as const } : { kind: "encoder" as const, encoder },
      image: { width: 3, dropped },
    }
    return { config, diffusion, params: paramsOf(flatten(decoderParams(config), isParamSpec), seed), tokenizer }
  })
const imageUpsampler = fc.record({ diffusion, seed, from: count(8), to: count(8) }).map(({ seed, ...rest }) => {
  const config = {
    unet: { ...unet, attention: [], middleAttention: false, input: 6, output: 6 },
    resize: "bicubic" as const,
  }
  return { config, ...rest, params: paramsOf(flatten(upsamplerParams(config), isParamSpec), seed) }
})

const priorText = fc.constantFrom({ context: 2, vocab: 5 }, { context: 2, encoded: 3 })
const priorShape = fc.record({
  embedding: fc.constant(3),
  text: priorText,
  width: fc.constant(4),
  layers: count(2),
  heads: fc.constant(2),
  dropped: fc.constantFrom("learned" as const, "masked" as const),
})
const positive = ({ shape, data }: HostTensor): HostTensor =>
  float32(
    shape,
    data.map((x: number) => Math.max(1e-6, Math.abs(x))),
  )
/** Low ends anywhere, high ends above them. */
const range = (k: number) =>
  fc.tuple(floats([k]), floats([k])).map(([a, b]) => ({
    low: float32(
      [k],
      a.data.map((x: number, i: number) => Math.min(x, b.data[i]!) / 2 - 1),
    ),
    high: float32(
      [k],
      a.data.map((x: number, i: number) => Math.max(x, b.data[i]!) / 2 + 1 + Math.abs(x) / 4),
    ),
  }))
const scale = fc.oneof(
  fc.record({ kind: fc.constant("factor" as const), factor: fc.constantFrom(17.2, 1) }),
  fc.record({ kind: fc.constant("statistics" as const), mean: floats([3]), std: floats([3]).map(positive) }),
)
const unclipPrior: fc.Arbitrary<pipelines.UnclipPrior> = fc.oneof(
  fc.record({ config: priorShape, schedule, scale, seed }).map(({ seed, ...prior }) => ({
    kind: "diffusion" as const,
    ...prior,
    params: paramsOf(flatten<ParamSpec>(priorParams(prior.config), isParamSpec), seed),
  })),
  fc
    .record({
      config: priorShape.map((shape) => ({ ...shape, codes: 2, buckets: 4, dotBuckets: 3 })),
      pca: fc.record({ mean: floats([3]), axes: floats([2, 3]), variances: floats([2]) }),
      range: range(2),
      dots: count(4).chain((n) => floats([n])),
      dotRange: range(1),
      seed,
    })
    .map(({ seed, ...prior }) => ({
      kind: "autoregressive" as const,
      ...prior,
      params: paramsOf(flatten<ParamSpec>(autoregressivePriorParams(prior.config), isParamSpec), seed),
    })),
)

/** A reward's and a judge's value is code: what is drawn is their files. */
const modelFiles = (config: unknown, params: HostTensors): Files => ({
  "config.json": new TextEncoder().encode(canonicalJson(config)),
  "model.safetensors": encodeSafetensors(params),
})
const reward = gpt.map(({ config, seed }) => ({
  source: "a test",
  files: modelFiles(config, paramsOf(flatten({ reward: rewardParams(config) }, isParamSpec), seed)),
  open: () => Effect.die("never opened"),
}))

const judge = fc
  .record({ values: fc.array(captions(), { minLength: 1, maxLength: 3 }), inverses: record(text), seed })
  .map(({ values, inverses, seed }) => {
    const config = { size: 4, widths: [2, 3], hidden: 3, values: values.map(({ length }) => length) }
    const classes = values.flat().length
    const shapes = {
      "judge.convs.0.weight": [3, 3, 3, 2],
      "judge.convs.0.gain": [2],
      "judge.convs.0.bias": [2],
      "judge.convs.1.weight": [3, 3, 2, 3],
      "judge.convs.1.gain": [3],
      "judge.convs.1.bias": [3],
      "judge.hidden.weight": [12, 3],
      "judge.hidden.bias": [3],
      "judge.output.weight": [3, classes],
      "judge.output.bias": [classes],
    }
    const specs = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, { shape, init: { kind: "zeros" } } as const]),
    )
    const vocabulary = values.map((each, i) => [`fact ${i}`, each])
    return {
      source: "a test",
      facts: vocabulary.map(([name]) => String(name)),
      expected: () => ({}),
      files: modelFiles({ config, vocabulary, inverses }, paramsOf(specs, seed)),
      open: () => Effect.die("never opened"),
    }
  })

// --- data

const labeler = fc
  .record({ source: text, data: record(finite) })
  .map(({ source, data }) => pipelines.lexiconLabeler(source, data))

const passages = count(3).chain((promptLength) => {
  const row = rows(fc.record({ prompt: tokens(promptLength, promptLength), continuation: tokens(4) }))
  return fc.record({
    promptLength: fc.constant(promptLength),
    continuationLength: count(9, 4),
    train: row,
    heldOut: row,
  })
})

const answers = count(3, 0).chain((k) =>
  fc.record({ prompt: tokens(), answers: fc.array(tokens(), { minLength: k, maxLength: k }) }),
)
const comparison = answers.chain((row) => {
  const scores = fc.array(finite, { minLength: row.answers.length, maxLength: row.answers.length })
  return fc.record({ preference: scores, gold: scores }).map((judged) => ({ ...row, ...judged }))
})

const embeddedSet = (c: number): fc.Arbitrary<pipelines.EmbeddedSet> =>
  fc.array(captions(), { maxLength: 3 }).chain((all) => {
    const flat = all.flat()
    const first = [0]
    for (const { length } of all) first.push(first.at(-1)! + length)
    return fc.record({
      indices: fc
        .array(count(99, 0), { minLength: all.length, maxLength: all.length })
        .map((row) => Int32Array.from(row)),
      image: floats([all.length, c]),
      captions: fc.constant(flat),
      text: floats([flat.length, c]),
      first: fc.constant(Int32Array.from(first)),
    })
  })
const embeddings = count(3).chain((c) => fc.record({ train: embeddedSet(c), heldOut: embeddedSet(c) }))

const embeddingIndex = fc.record({ joint: count(3), n: count(3, 0) }).chain(({ joint, n }) =>
  fc.record({
    joint: fc.constant(joint),
    features: floats([n, joint]).map(({ data }) => data as Float32Array),
    images: fc.array(
      fc.record({
        set: fc.constantFrom("train" as const, "heldOut" as const, "shifted" as const),
        index: count(99, 0),
        name: text,
        caption: text,
      }),
      { minLength: n, maxLength: n },
    ),
  }),
)

const imageCodes = fc.record({ vocab: count(9), rows: count(2), columns: count(2) }).chain((grid) => {
  const set = fc.array(captions(), { maxLength: 3 }).chain((all) => {
    const length = all.length * grid.rows * grid.columns
    return fc.record({
      codes: fc
        .array(count(grid.vocab - 1, 0), { minLength: length, maxLength: length })
        .map((row) => Int32Array.from(row)),
      captions: fc.constant(all),
    })
  })
  return fc.record({ train: set, heldOut: set }).map((sets) => ({ ...grid, ...sets }))
})

const evaluation = fc.record({
  metrics: record(finite),
  tables: rows(fc.record({ title: text, columns: captions(), rows: rows(fc.array(fc.oneof(text, finite))) })),
  samples: fc.record({ columns: captions(), rows: rows(captions()) }),
})

const groupName = fc.constantFrom("train", "train, fewer", "fewer/train", "given", "constructor", "candidates.json", "")
const candidates = <D extends pipelines.Drawn>(finish: (drawn: pipelines.Drawn) => fc.Arbitrary<D>) =>
  count(3).chain((size) => {
    const bytes = size * size * 3
    const pixels = fc.uint8Array({ minLength: bytes, maxLength: bytes })
    const request = fc.record({ caption: text, facts: record(text) }, { requiredKeys: ["caption"] })
    const set = fc.array(fc.record({ pixels, logProb: finite }), { maxLength: 3 })
    const drawn = fc.record({ request, candidates: set, fewer: fc.array(set, { maxLength: 2 }) }).chain(finish)
    const groups = fc
      .array(fc.tuple(groupName, rows(drawn)), { maxLength: 3 })
      .map((entries): Readonly<Record<string, ReadonlyArray<D>>> => Object.fromEntries(entries))
    return fc.record({ size: fc.constant(size), groups })
  })
const scoresOf = ({ length }: ReadonlyArray<unknown>) => fc.array(finite, { minLength: length, maxLength: length })
const ranked = candidates((drawn) =>
  fc
    .record({ scores: scoresOf(drawn.candidates), fewerScores: fc.tuple(...drawn.fewer.map(scoresOf)) })
    .map((scores) => ({ ...drawn, ...scores })),
)

/** Every kind that can be read. */
export const kindExamples: ReadonlyArray<KindExample> = [
  example(pipelines.answersKind, split(answers)),
  example(pipelines.candidatesKind, candidates(fc.constant)),
  example(pipelines.clipModelKind, clip),
  example(pipelines.comparisonsKind, split(comparison)),
  example(pipelines.demonstrationsKind, rows(fc.record({ prompt: tokens(), continuation: tokens() }))),
  example(pipelines.discreteVaeKind, discreteVae),
  example(pipelines.embeddingIndexKind, embeddingIndex),
  example(pipelines.embeddingsKind, embeddings),
  example(pipelines.evaluationKind, evaluation),
  example(pipelines.imageCodesKind, imageCodes),
  example(pipelines.imageDecoderKind, imageDecoder),
  example(pipelines.imageUpsamplerKind, imageUpsampler),
  example(pipelines.judgeKind, judge),
  example(pipelines.labelerKind, labeler),
  example(pipelines.languageModelKind, languageModel),
  example(pipelines.passagesKind, passages),
  example(
    pipelines.rankedCandidatesKind,
    fc.record({ ranked, scorer: text }).map(({ ranked, scorer }) => ({ ...ranked, scorer })),
  ),
  example(pipelines.rewardKind, reward),
  example(pipelines.sparseTransformerKind, sparse),
  example(pipelines.tokenizerKind, tokenizer),
  example(pipelines.unclipPriorKind, unclipPrior),
]
