/**
 * Stage: images for captions, several for each.
 * It has no checkpoints: a run that is stopped in it starts it over.
 */
import { artifact, BadConfig, defineStageNode, Engine, type Key, Stage, split } from "@millrace/core"
import { compileImageSampler, generateCodes } from "@millrace/models"
import { Effect, Schema } from "effect"
import { type Candidate, type Candidates, candidatesKind, type Drawn, type Request } from "../artifacts/candidates.js"
import { type CaptionedImage, captionedImagesKind } from "../artifacts/captionedImages.js"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { sparseTransformerKind } from "../artifacts/sparseTransformer.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count, CountOrZero, Fraction, Positive } from "../ranges.js"
import { spread } from "../spread.js"
import { fewerThan, partsOf } from "./bestOf.js"
import { captionTokens } from "./captionTokens.js"
import { openDecoder } from "./decode.js"
import { imageSize } from "./reconstruct.js"

/** A fact is looked for in so many times as many images. */
const RARE = 16

const requestOf = ({ captions, facts }: CaptionedImage): Request => ({
  caption: captions[0]!,
  ...(facts === undefined ? {} : { facts }),
})

export const sampleStage = defineStageNode({
  type: "dalle.sample",
  version: 2,
  source: "Ramesh et al. 2021, section 2.6",
  config: Schema.Struct({
    /** Captions of training images, and of held-out ones. */
    train: CountOrZero,
    heldOut: CountOrZero,
    /** Captions of training images that have a fact, by the fact: `{ relation: 24 }`. */
    having: Schema.Record(Schema.String, Count),
    /** Captions of your own. */
    captions: Schema.Array(Schema.String),
    /** Images a caption. Ramesh et al. 2021: 512. */
    candidates: Count,
    /** Whether sets of 1, 2, 4, … images are drawn for each caption too: what the best of fewer is measured on. */
    fewer: Schema.Boolean,
    temperature: Positive,
    /** Codes are drawn from the fewest most probable ones whose mass is at least this. */
    topP: Schema.optionalKey(Fraction),
    /** Images drawn at a time. */
    batch: Count,
  }),
  ports: {
    in: {
      prior: artifact(sparseTransformerKind),
      dvae: artifact(discreteVaeKind),
      tokenizer: artifact(tokenizerKind),
      images: artifact(captionedImagesKind),
    },
    out: artifact(candidatesKind),
  },
  run: (config, { prior, dvae, tokenizer, images }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const engine = yield* Engine
      const { candidates: n, temperature, topP, batch } = config
      const sizes = config.fewer ? fewerThan(n) : []
      const less = sizes.reduce((sum, size) => sum + size, 0)
      const places = prior.config.rows * prior.config.columns
      if (prior.config.imageVocab !== dvae.config.vocab || places !== dvae.config.rows * dvae.config.columns) {
        return yield* new BadConfig({
          where: "dalle.sample",
          expected: `a prior over ${dvae.config.rows} · ${dvae.config.columns} codes of ${dvae.config.vocab}, as the dVAE has`,
          received: `one over ${prior.config.rows} · ${prior.config.columns} codes of ${prior.config.imageVocab}`,
          fix: "train the prior on the codes of this dVAE",
        })
      }
      const some = (set: typeof images.train, count: number) =>
        Effect.map(set.read(spread(set.count, count)), (rows) => rows.map(requestOf))
      const having: Record<string, ReadonlyArray<Request>> = {}
      for (const [fact, count] of Object.entries(config.having)) {
        const looked = yield* some(images.train, RARE * count)
        having[`train with ${fact}`] = looked.filter(({ facts = {} }) => Object.hasOwn(facts, fact)).slice(0, count)
      }
      const requests: Readonly<Record<string, ReadonlyArray<Request>>> = {
        train: yield* some(images.train, config.train),
        "held out": yield* some(images.heldOut, config.heldOut),
        ...having,
        given: config.captions.map((caption) => ({ caption })),
      }
      const params = yield* engine.allocate(prior.params)
      const decoder = yield* engine.allocate(dvae.params)
      const sampler = yield* compileImageSampler(prior.config, {
        batch,
        frozen: true,
        temperature,
        ...(topP === undefined ? {} : { topP }),
      })
      const decode = yield* openDecoder(dvae.config, Math.min(64, batch))
      const total = Object.values(requests).reduce((sum, rows) => sum + rows.length * (n + less), 0)
      let done = 0
      /** `n` images for each caption. */
      const drawn = (rows: ReadonlyArray<Request>, n: number, own: Key) =>
        Effect.gen(function* () {
          const out: Array<ReadonlyArray<Candidate>> = []
          const each = Math.max(1, Math.floor(batch / n))
          for (let from = 0; from < rows.length; from += each) {
            const part = rows.slice(from, from + each)
            const tokens = part.flatMap(({ caption }) => {
              const encoded = captionTokens(tokenizer, caption, prior.config.text)
              return Array.from({ length: n }, () => encoded)
            })
            const { codes, logProb } = yield* generateCodes(sampler, params, tokens, split(own, from))
            const pixels = yield* decode(decoder, codes.data as Int32Array)
            const made = pixels.map(
              (image, i): Candidate => ({
                pixels: image,
                logProb: (logProb.data as Float32Array)
                  .subarray(i * places, (i + 1) * places)
                  .reduce((sum, x) => sum + x, 0),
              }),
            )
            out.push(...part.map((_, i) => made.slice(i * n, (i + 1) * n)))
            done += made.length
            const amount = made.length
            yield* emit({ type: "stage.step", step: done, steps: total, values: {}, amount, unit: "images" })
          }
          return out
        })
      const groups: Record<string, ReadonlyArray<Drawn>> = {}
      for (const [group, rows] of Object.entries(requests)) {
        if (rows.length === 0) continue
        const own = split(key, group)
        const most = yield* drawn(rows, n, own)
        const others = less === 0 ? [] : yield* drawn(rows, less, split(own, "fewer"))
        groups[group] = rows.map((request, i) => ({
          request,
          candidates: most[i]!,
          fewer: partsOf(others[i] ?? [], sizes),
        }))
      }
      return { size: imageSize(dvae.config), groups } satisfies Candidates
    }),
})
