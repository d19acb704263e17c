import { adamW } from "@millrace/core"
import { captionTokenizerStage, clipEmbedder, clipTrainStage, measureSet } from "@millrace/pipelines"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { shapeImages } from "./images.js"
import { stageRunner } from "./onStage.js"

const on = stageRunner()
const size = 16
const images = shapeImages(size, 2)
const templates = ["a {}"] as const
const train = clipTrainStage({
  model: {
    joint: 16,
    image: { kind: "vit", size, patch: 4, width: 32, layers: 1, heads: 2 },
    text: { context: 8, width: 32, layers: 1, heads: 2 },
  },
  batch: 24,
  augment: { shift: 0.05 },
  fit: {
    steps: 30,
    schedule: { kind: "cosine", peak: 3e-3, warmup: 5, floor: 1 },
    optimizer: adamW,
    clip: 1,
    average: { decay: 0.9, start: "zero" },
  },
  watch: { every: 15, queries: ["red circle"], columns: 4, images: 48, templates },
})

test("what is looked at is what training gives: the last look measures the average that it returns, the first one weights", async () => {
  const { result, events } = await on(
    Effect.gen(function* () {
      const tokenizer = yield* captionTokenizerStage({ vocab: 310 }).run({ images })
      const embedder = yield* clipEmbedder(yield* train.run({ images, tokenizer }), 16)
      return yield* measureSet(embedder, images.shifted!, 48, templates)
    }),
  )
  const [first, , last] = events.flatMap((event) => (event.type === "stage.table" ? event.rows.slice(-1) : []))
  expect(last).toEqual([30, ...result.measures.map(({ share }) => Number((100 * share.mean).toFixed(1)))])
  for (const share of first!) expect(Number.isFinite(share)).toBe(true)
  // The order of images by weights that are not there yet would be no number's.
  const [shown] = events.flatMap((event) => (event.type === "stage.images" ? [event] : []))
  expect(new Set(shown!.texts).size).toBeGreaterThan(1)
})
