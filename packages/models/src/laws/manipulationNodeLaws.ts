/** The laws that the manipulations of unCLIP carry, each at its node's share. */
import { grid, type NodeLaws, permutationEquivariant, size } from "@millrace/core/laws"
import { interpolationAtLaws } from "./interpolationLaws.js"
import { one, several } from "./outputs.js"
import { textDiffAtLaws } from "./textDiffLaws.js"

/** In every coordinate above 0: no two are opposite, between which no way is defined. */
const ahead = (shape: ReadonlyArray<number>) =>
  grid(
    shape,
    size(1, 16).map((n) => n / 4),
  )

/** The opposite of these: never the same as one of those, which would have no direction to it. */
const behind = (shape: ReadonlyArray<number>) => ahead(shape).map((x) => x.map((v) => -v))

export const textDiffNodeLaws = (share: number): NodeLaws => ({
  laws: [
    (s) => textDiffAtLaws((image, text, base) => one(s, { image, text, base }), share),
    permutationEquivariant("c"),
  ],
  examples: { image: ahead, text: ahead, base: behind },
})

export const interpolateNodeLaws = (share: number): NodeLaws => ({
  laws: [
    (s) =>
      interpolationAtLaws((a, b) => {
        const given = { ...a, otherEmbedding: b.embedding, otherNoise: b.noise }
        const { embedding, noise } = several(s, given)
        return { embedding: embedding!, noise: noise! }
      }, share),
    permutationEquivariant("c"),
    permutationEquivariant("y"),
    permutationEquivariant("x"),
    permutationEquivariant("d"),
  ],
  examples: { embedding: ahead, noise: ahead, otherEmbedding: ahead, otherNoise: ahead },
})
