import { flatten, float32, type Tensors } from "@millrace/core"
import {
  expectClose,
  expectSame,
  expectThat,
  float,
  grid,
  ids,
  type Law,
  law,
  logSoftmax,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import {
  type AutoregressivePriorConfig,
  type AutoregressivePriorParams,
  type AutoregressivePriorSamplerConfig,
  type AutoregressivePriorSamplerFunctions,
  autoregressivePriorLogits,
  autoregressivePriorParams,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"

/** A model's shape and a sampler's config to the tensor functions that sample with a cache. */
export type CodeSampling = (
  config: AutoregressivePriorConfig,
  sampler: AutoregressivePriorSamplerConfig,
) => AutoregressivePriorSamplerFunctions

const [t, k, v, c] = [3, 3, 5, 4]
const shape = {
  embedding: c,
  text: { context: t, vocab: 6 },
  codes: k,
  buckets: v,
  dotBuckets: 4,
  width: 4,
  layers: 1,
  heads: 2,
} as const

/** Components along three of the four axes, and ranges of their own. */
const coding = {
  pca: {
    mean: float32([c], [1, 2, 3, 4]),
    axes: float32([k, c], [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]),
    variances: float32([k], [3, 2, 1]),
  },
  range: { low: float32([k], [-1, 0, 2]), high: float32([k], [1, 5, 3]) },
  dots: float32([2], [0.2, 0.9]),
  dotRange: { low: float32([1], [0]), high: float32([1], [1]) },
}

const uniform = fc.integer({ min: 0, max: 1023 }).map((n) => n / 1024)
const examples = fc.record({
  dropped: fc.constantFrom("learned" as const, "masked" as const),
  seed: size(0, 5),
  caption: fc.array(fc.nat(5), { maxLength: t }),
  textEmbedding: grid([c]),
  dot: fc.constantFrom(0.1, 0.4, 0.6, 0.9),
  uniform: grid([k], uniform),
  transform: fc.constantFrom({}, { temperature: 0.7 }, { topK: 3 }, { topP: 0.8 }),
  guidance: fc.constantFrom<number>(1, 0, 3),
})
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

const paramsOf = ({ seed, dropped }: Example) => {
  const specs = autoregressivePriorParams({ ...shape, dropped })
  return tensorsOf(specs, testParams(specs, seed, 0.5)) as AutoregressivePriorParams
}

interface Sampled {
  readonly code: ReadonlyArray<number>
  readonly logProb: ReadonlyArray<number>
  readonly sampledLogProb: ReadonlyArray<number>
}

/** What sampling an embedding's codes with a cache obeys. */
export const codeSamplerLaws = (sampling: CodeSampling): ReadonlyArray<Law> => {
  const captionsOf = (of: ReadonlyArray<Example>, beyond = 0) => ({
    textEmbedding: float(
      [of.length, c],
      of.flatMap((each) => each.textEmbedding),
    ),
    text: ids(
      [of.length, t],
      of.flatMap(({ caption }) => Array.from({ length: t }, (_, i) => caption[i] ?? beyond)),
    ),
    mask: float(
      [of.length, t],
      of.flatMap(({ caption }) => Array.from({ length: t }, (_, i) => (i < caption.length ? 1 : 0))),
    ),
  })
  /** Codes for captions under the parameters of the first, as an engine would sample them. */
  const sample = (of: ReadonlyArray<Example>, { beyond = 0, ...change }: Record<string, number> = {}) => {
    const [b, { dropped, transform, guidance }] = [of.length, of[0]!]
    const { prefill, step } = sampling(
      { ...shape, dropped },
      { ...coding, batch: b, guidance, ...transform, ...change },
    )
    const policy = flatten<tf.Tensor>(paramsOf(of[0]!), (x): x is tf.Tensor => x instanceof tf.Tensor)
    let cache: Tensors = Object.fromEntries(
      Object.entries(prefill.state.cache!).map(([name, spec]) => [name, tf.zeros([...spec.shape])]),
    )
    const numbers = (place: number) =>
      float(
        [b],
        of.map((each) => each.uniform[place]!),
      )
    const made: Array<Tensors> = []
    const keep = ({ outputs, state }: { outputs: Tensors; state?: Readonly<Record<string, Tensors>> }): void => {
      made.push(outputs)
      cache = { ...cache, ...state?.cache }
    }
    const dot = float(
      [b],
      of.map((each) => each.dot),
    )
    keep(prefill.body({ policy, cache }, { ...captionsOf(of, beyond), dot, uniform: numbers(0) }))
    const length = made[0]!.length!
    for (let place = 0; place < k - 1; place++) {
      const inputs = { place: ids([], [place]), previous: made[place]!.code!, length, uniform: numbers(place + 1) }
      keep(step.body({ policy, cache }, inputs))
    }
    const row = (name: string, i: number) => made.map((outputs) => values(outputs[name]!)[i]!)
    return of.map((_, i) => ({
      code: row("code", i),
      logProb: row("logProb", i),
      sampledLogProb: row("sampledLogProb", i),
    }))
  }
  const one = (of: Example, change = {}): Sampled => sample([of], change)[0]!
  /** Log-probabilities of all codes, from the whole sequence at once, guided. */
  const full = (e: Example, codes: ReadonlyArray<number>, guidance: number) => {
    const at = (kept: number) =>
      values(
        autoregressivePriorLogits({ ...shape, dropped: e.dropped }, paramsOf(e), {
          ...captionsOf([e]),
          dot: ids([1], [Math.floor(e.dot * 4)]),
          codes: ids([1, k], codes),
          kept: float([1], [kept]),
        }),
      )
    const [told, untold] = [at(1), at(0)]
    return rows(
      told.map((x, i) => untold[i]! + guidance * (x - untold[i]!)),
      v,
    ).map(logSoftmax)
  }

  return [
    law("a code's log-probability is that of the full forward, whatever was sampled", examples, (e) => {
      const { code, logProb } = one(e)
      const all = full(e, code, 1)
      expectClose(
        logProb,
        code.map((at, place) => all[place]![at]!),
        { absolute: 1e-4 },
      )
    }),
    law("with guidance, codes are sampled from the guided logits of both full forwards", examples, (e) => {
      const { code, sampledLogProb } = one({ ...e, transform: {} })
      const all = full(e, code, e.guidance)
      expectClose(
        sampledLogProb,
        code.map((at, place) => all[place]![at]!),
        { absolute: 5e-4 },
      )
    }),
    law("each code is where the cumulated probability passes its number", examples, (e) => {
      const { code } = one({ ...e, transform: {} })
      const all = full(e, code, e.guidance).map((row) => row.map(Math.exp))
      for (const [place, at] of code.entries()) {
        const before = all[place]!.slice(0, at).reduce((a, b) => a + b, 0)
        const u = e.uniform[place]!
        expectThat(before - 1e-4 <= u && u <= before + all[place]![at]! + 1e-4, () => `${at} with ${u}, ${before}`)
      }
    }),
    law("a guidance of 1 is no guidance", examples, (e) => {
      const { sampledLogProb, logProb } = one({ ...e, transform: {}, guidance: 1 })
      expectSame(sampledLogProb, logProb)
    }),
    law(
      "at temperature 0 no number matters, and each code is the most probable",
      fc.tuple(examples, grid([k], uniform)),
      ([e, other]) => {
        const cold = { temperature: 0 }
        const { code } = one(e, cold)
        expectSame(one({ ...e, uniform: other }, cold).code, code)
        const all = full(e, code, e.guidance)
        for (const [place, at] of code.entries())
          expectThat(all[place]![at]! >= Math.max(...all[place]!) - 1e-3, () => `${place}`)
      },
    ),
    law("what stands at a caption's padding changes no bit", fc.tuple(examples, size(-3, 99)), ([e, beyond]) => {
      const [before, after] = [one(e), one(e, { beyond })]
      expectSame([...after.code, ...after.logProb], [...before.code, ...before.logProb])
    }),
    law("a caption in a batch is the caption alone", fc.tuple(examples, examples), ([a, other]) => {
      const { seed, transform, dropped, guidance } = a
      const b = { ...other, seed, transform, dropped, guidance }
      const both = sample([a, b])
      for (const [i, each] of [a, b].entries()) {
        const alone = one(each)
        expectSame(both[i]!.code, alone.code)
        expectClose(both[i]!.logProb, alone.logProb, { absolute: 1e-5 })
      }
    }),
    law(
      "a code decodes to the mean and the middles of its buckets along the axes",
      grid([k], fc.nat(v - 1)),
      (codes) => {
        const { decode } = sampling({ ...shape, dropped: "masked" }, { ...coding, batch: 1 })
        const made = values(decode.body({}, { codes: ids([1, k], codes) }).outputs.embeddings!)
        const [low, high] = [coding.range.low.data, coding.range.high.data]
        const middle = codes.map((code, i) => low[i]! + ((code + 0.5) / v) * (high[i]! - low[i]!))
        expectClose(made, [1 + middle[0]!, 2 + middle[2]!, 3 + middle[1]!, 4])
      },
    ),
  ]
}
