/** Latents on the way from one to another, at several shares of the way. */
import { float32, type HostTensor } from "@millrace/core"
import { interpolateLatents, type Latents, takeRows, textDiff } from "@millrace/models"
import { Effect } from "effect"
import { runOnce } from "./runOnce.js"

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
export const between = (a: Latents<HostTensor>, b: Latents<HostTensor>, shares: ReadonlyArray<number>) => {
  const n = a.embedding.shape[0] ?? 0
  const rows = rowsOf(n, shares.length)
  const made = runOnce(
    (inputs) => ({
      name: "latents.between",
      state: {},
      inputs,
      body: (_, { embedding, noise, otherEmbedding, otherNoise, share }) => ({
        outputs: {
          ...interpolateLatents(
            { embedding: embedding!, noise: noise! },
            { embedding: otherEmbedding!, noise: otherNoise! },
            share!,
          ),
        },
      }),
    }),
    {
      embedding: takeRows(a.embedding, rows),
      noise: takeRows(a.noise, rows),
      otherEmbedding: takeRows(b.embedding, rows),
      otherNoise: takeRows(b.noise, rows),
      share: sharesOf(n, shares),
    },
  )
  return Effect.map(made, ({ embedding, noise }): Latents<HostTensor> => ({ embedding: embedding!, noise: noise! }))
}

/** Embeddings turned from what one caption says towards what another does, row by row and share by share; the noise stays. */
export const turned = (
  latents: Latents<HostTensor>,
  text: HostTensor,
  base: HostTensor,
  shares: ReadonlyArray<number>,
) => {
  const n = text.shape[0] ?? 0
  const rows = rowsOf(n, shares.length)
  const made = runOnce(
    (inputs) => ({
      name: "latents.turned",
      state: {},
      inputs,
      body: (_, { image, text, base, share }) => ({
        outputs: { embedding: textDiff(image!, text!, base!, share!) },
      }),
    }),
    {
      image: takeRows(latents.embedding, rows),
      text: takeRows(text, rows),
      base: takeRows(base, rows),
      share: sharesOf(n, shares),
    },
  )
  return Effect.map(
    made,
    ({ embedding }): Latents<HostTensor> => ({ embedding: embedding!, noise: takeRows(latents.noise, rows) }),
  )
}
