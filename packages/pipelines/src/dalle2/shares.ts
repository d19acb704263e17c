/** Latents on the way from one to another, at several shares of the way. */
import { Engine, float32, type HostTensor, spec } from "@millrace/core"
import { interpolateLatents, type Latents, takeRows, textDiff } from "@millrace/models"
import { Effect } from "effect"

/** So many shares from 0 to `most`, both included. */
export const sharesTo = (most: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => (most * i) / Math.max(1, count - 1))

/** Each row once a share, the shares of a row one behind the other. */
const rowsOf = (n: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: n * count }, (_, i) => Math.floor(i / count))

const sharesOf = (n: number, shares: ReadonlyArray<number>): HostTensor =>
  float32(
    [n * shares.length, 1],
    Array.from({ length: n * shares.length }, (_, i) => shares[i % shares.length]!),
  )

/** Pairs between those of `a` and those of `b`, row by row and share by share. */
export const between = (a: Latents<HostTensor>, b: Latents<HostTensor>, shares: ReadonlyArray<number>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const n = a.embedding.shape[0] ?? 0
      const rows = rowsOf(n, shares.length)
      const inputs = {
        embedding: takeRows(a.embedding, rows),
        noise: takeRows(a.noise, rows),
        otherEmbedding: takeRows(b.embedding, rows),
        otherNoise: takeRows(b.noise, rows),
        share: sharesOf(n, shares),
      }
      const step = yield* engine.compile({
        name: "latents.between",
        state: {},
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, spec("float32", shape)])),
        body: (_, { embedding, noise, otherEmbedding, otherNoise, share }) => ({
          outputs: {
            ...interpolateLatents(
              { embedding: embedding!, noise: noise! },
              { embedding: otherEmbedding!, noise: otherNoise! },
              share!,
            ),
          },
        }),
      })
      const { embedding, noise } = yield* step.run({ state: {}, inputs })
      return { embedding: embedding!, noise: noise! } satisfies Latents<HostTensor>
    }),
  )

/** Embeddings turned from what one caption says towards what another does, row by row and share by share; the noise stays. */
export const turned = (
  latents: Latents<HostTensor>,
  text: HostTensor,
  base: HostTensor,
  shares: ReadonlyArray<number>,
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const n = text.shape[0] ?? 0
      const rows = rowsOf(n, shares.length)
      const inputs = {
        image: takeRows(latents.embedding, rows),
        text: takeRows(text, rows),
        base: takeRows(base, rows),
        share: sharesOf(n, shares),
      }
      const step = yield* engine.compile({
        name: "latents.turned",
        state: {},
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, spec("float32", shape)])),
        body: (_, { image, text, base, share }) => ({
          outputs: { embedding: textDiff(image!, text!, base!, share!) },
        }),
      })
      const { embedding } = yield* step.run({ state: {}, inputs })
      return { embedding: embedding!, noise: takeRows(latents.noise, rows) } satisfies Latents<HostTensor>
    }),
  )
