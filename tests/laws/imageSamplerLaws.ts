import { flatten, type Tensors } from "@millrace/core"
import {
  type ImageSamplerConfig,
  type ImageSamplerFunctions,
  type SparseConfig,
  type SparseParams,
  sparseLogits,
  sparseParams,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { float, grid, ids, logSoftmax, rows, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** A model's shape and a sampler's config to the tensor functions that sample with a cache. */
export type ImageSampling = (config: SparseConfig, sampler: ImageSamplerConfig) => ImageSamplerFunctions

/** A layer of each pattern over an oblong image. */
const config: SparseConfig = {
  textVocab: 4,
  imageVocab: 5,
  text: 3,
  rows: 2,
  columns: 3,
  width: 4,
  layers: 3,
  heads: 1,
  kernel: 3,
}
const [t, s] = [3, 6]
const specs = sparseParams(config)

const uniform = fc.integer({ min: 0, max: 1023 }).map((n) => n / 1024)
const examples = fc.record({
  seed: size(0, 20),
  caption: fc.array(fc.nat(3), { maxLength: t }),
  uniform: grid([s], uniform),
  transform: fc.constantFrom({}, { temperature: 0.7 }, { topK: 3 }, { topP: 0.8 }),
})
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

interface Sampled {
  readonly code: ReadonlyArray<number>
  readonly logProb: ReadonlyArray<number>
  readonly sampledLogProb: ReadonlyArray<number>
}

export const imageSamplerLaws = (sampling: ImageSampling): ReadonlyArray<Law> => {
  /** Images for captions under the parameters of the first, as an engine would sample them. */
  const sample = (of: ReadonlyArray<Example>, { beyond = 0, transform = of[0]!.transform as object } = {}) => {
    const b = of.length
    const { prefill, step } = sampling(config, { batch: b, ...transform })
    const policy = flatten<tf.Tensor>(
      tensorsOf(specs, testParams(specs, of[0]!.seed, 0.5)),
      (x): x is tf.Tensor => x instanceof tf.Tensor,
    )
    let cache: Tensors = Object.fromEntries(
      Object.entries(prefill.state.cache!).map(([name, { shape }]) => [name, tf.zeros([...shape])]),
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
    const tokens = of.flatMap(({ caption }) => Array.from({ length: t }, (_, i) => caption[i] ?? beyond))
    const mask = of.flatMap(({ caption }) => Array.from({ length: t }, (_, i) => (i < caption.length ? 1 : 0)))
    const captions = { tokens: ids([b, t], tokens), mask: float([b, t], mask) }
    keep(prefill.body({ policy, cache }, { ...captions, uniform: numbers(0) }))
    for (let place = 0; place < s - 1; place++) {
      const inputs = { place: ids([], [place]), previous: made[place]!.code!, uniform: numbers(place + 1) }
      keep(step.body({ policy, cache }, inputs))
    }
    const row = (name: string, i: number) => made.map((outputs) => values(outputs[name]!)[i]!)
    return of.map((_, i) => ({
      code: row("code", i),
      logProb: row("logProb", i),
      sampledLogProb: row("sampledLogProb", i),
    }))
  }
  const one = (of: Example, options = {}): Sampled => sample([of], options)[0]!
  /** Log-probabilities of all codes at each place, from the whole sequence at once. */
  const full = ({ seed, caption }: Example, codes: ReadonlyArray<number>) => {
    const p = tensorsOf(specs, testParams(specs, seed, 0.5)) as SparseParams
    const { image } = sparseLogits(config, p, {
      tokens: ids(
        [1, t],
        Array.from({ length: t }, (_, i) => caption[i] ?? 0),
      ),
      mask: float(
        [1, t],
        Array.from({ length: t }, (_, i) => (i < caption.length ? 1 : 0)),
      ),
      codes: ids([1, s], codes),
    })
    return rows(values(image), 5).map(logSoftmax)
  }

  return [
    law("a code's log-probability is that of a full forward, whatever was sampled", examples, (e) => {
      const { code, logProb } = one(e)
      const all = full(e, code)
      expectClose(
        logProb,
        code.map((k, place) => all[place]![k]!),
        { absolute: 1e-4 },
      )
    }),
    law("each code is where the model's cumulated probability passes its number", examples, (e) => {
      const { code } = one(e, { transform: {} })
      const all = full(e, code).map((row) => row.map(Math.exp))
      for (const [place, k] of code.entries()) {
        const before = all[place]!.slice(0, k).reduce((a, b) => a + b, 0)
        const after = before + all[place]![k]!
        const u = e.uniform[place]!
        expectThat(before - 1e-4 <= u && u <= after + 1e-4, () => `${k} with ${u}, of ${before} to ${after}`)
      }
    }),
    law(
      "at temperature 0 no number matters, and each code is the most probable",
      fc.tuple(examples, grid([s], uniform)),
      ([e, other]) => {
        const transform = { temperature: 0 }
        const { code, sampledLogProb } = one(e, { transform })
        expectSame(one({ ...e, uniform: other }, { transform }).code, code)
        const all = full(e, code)
        for (const [place, k] of code.entries())
          expectThat(all[place]![k]! >= Math.max(...all[place]!) - 1e-4, () => `${place}`)
        expectClose(sampledLogProb, Array(s).fill(0))
      },
    ),
    law(
      "what filters keep is more probable than before",
      fc.tuple(examples, fc.constantFrom({ topK: 2 }, { topP: 0.5 })),
      ([e, transform]) => {
        const { logProb, sampledLogProb } = one(e, { transform })
        for (const [i, p] of logProb.entries())
          expectThat(sampledLogProb[i]! >= p - 1e-5, () => `${sampledLogProb[i]}, ${p}`)
      },
    ),
    law("what stands at padding changes no bit", fc.tuple(examples, size(-3, 99)), ([e, beyond]) => {
      const [before, after] = [one(e), one(e, { beyond })]
      expectSame([...after.code, ...after.logProb], [...before.code, ...before.logProb])
    }),
    law("an image in a batch is the image alone", fc.tuple(examples, examples), ([a, other]) => {
      const b = { ...other, seed: a.seed, transform: a.transform }
      const both = sample([a, b])
      for (const [i, each] of [a, b].entries()) {
        const alone = one(each)
        expectSame(both[i]!.code, alone.code)
        expectClose(both[i]!.logProb, alone.logProb, { absolute: 1e-5 })
      }
    }),
  ]
}
