/** The manipulations of unCLIP as nodes. */
import { defineTensorNode, tensor } from "@millrace/core"
import { Schema } from "effect"
import { interpolateLatents } from "./latents.js"
import { textDiff } from "./textDiff.js"

const embedding = tensor("float32", "b c", "embedding")
const noise = tensor("float32", "b y x d", "noise")

const Share = Schema.Struct({
  share: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(1)),
})

export const manipulation = {
  /** `image`, `text`, `base` -> the image's embedding turned from the base towards the text. */
  textDiff: defineTensorNode({
    type: "manipulation.textDiff",
    version: 1,
    source: "Ramesh et al. 2022, section 3.3",
    config: Share,
    ports: () => ({ in: { image: embedding, text: embedding, base: embedding }, out: embedding }),
    apply: ({ share }, _, { image, text, base }) => textDiff(image, text, base, share),
    laws: async ({ share }) => (await import("../laws/manipulationNodeLaws.js")).textDiffNodeLaws(share),
  }),
  /** Embeddings and noise of two images -> those of one between them. */
  interpolate: defineTensorNode({
    type: "manipulation.interpolate",
    version: 1,
    source: "Ramesh et al. 2022, section 3.2",
    config: Share,
    ports: () => ({
      in: { embedding, noise, otherEmbedding: embedding, otherNoise: noise },
      out: { embedding, noise },
    }),
    apply: ({ share }, _, { embedding, noise, otherEmbedding, otherNoise }) => ({
      ...interpolateLatents({ embedding, noise }, { embedding: otherEmbedding, noise: otherNoise }, share),
    }),
    laws: async ({ share }) => (await import("../laws/manipulationNodeLaws.js")).interpolateNodeLaws(share),
  }),
}
