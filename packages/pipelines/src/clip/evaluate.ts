/** Stage: a CLIP on what it was never shown: concepts that were held out, and known concepts in another hand. */
import { artifact, defineStageNode, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { type CaptionedImage, captionedImagesKind, type ImageSet } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { showImages } from "../images/showImages.js"
import { Count } from "../ranges.js"
import { shownShare } from "../share.js"
import { spread } from "../spread.js"
import { clipEmbedder } from "./embedder.js"
import { retrievedGrid, similarityGrid } from "./grids.js"
import { measureSet, measuresOf } from "./measure.js"
import { pixelRanks } from "./nearestByPixels.js"
import { Template } from "./template.js"

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`

/** What the nearest image by its pixels is right for, of the concepts of `train` in another hand. */
const pixelBaseline = (train: ImageSet, shifted: ImageSet, queries: ReadonlyArray<CaptionedImage>, most: number) =>
  Effect.gen(function* () {
    const names = new Set(train.classes)
    const comparable = queries.every(({ class: own }) => own !== undefined && names.has(shifted.classes[own]!))
    if (!comparable || train.count > most) return []
    const shown = (set: ImageSet, images: ReadonlyArray<CaptionedImage>) =>
      images.flatMap(({ pixels, class: own }) => (own === undefined ? [] : [{ pixels, name: set.classes[own]! }]))
    const seen = shown(train, yield* train.read(spread(train.count, train.count)))
    const among = new Set(seen.map(({ name }) => name)).size
    return measuresOf("nearest by pixels", pixelRanks(shown(shifted, queries), seen, 5), among, [1, 5])
  })

/** `heldOut text of image@5` as a metric's name. */
const metricOf = (set: string, name: string, at: number): string => `${set}.${name.replaceAll(" ", "-")}@${at}`

export const clipEvaluateStage = defineStageNode({
  type: "clip.evaluate",
  version: 2,
  source: "Radford et al. 2021, sections 3.1.2 to 3.1.4",
  config: Schema.Struct({
    /** Prompts of a class, `{}` in the place of its name; their ensemble classifies. */
    templates: Schema.NonEmptyArray(Template),
    /** Images of each set that are looked at. Where train has no more, another hand's are compared with it by pixels too. */
    images: Count,
    /** Texts whose images are looked for. */
    queries: Schema.Array(Schema.String),
    /** Images that are shown for each. */
    columns: Count,
  }),
  ports: {
    in: { clip: artifact(clipModelKind), images: artifact(captionedImagesKind) },
    out: artifact(evaluationKind),
  },
  run: ({ templates, images: most, queries, columns }, { clip, images }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const embedder = yield* clipEmbedder(clip)
      const queried = { joint: embedder.joint, data: yield* embedder.texts(queries) }
      const sets = { heldOut: images.heldOut, ...(images.shifted === undefined ? {} : { shifted: images.shifted }) }
      const titles: Readonly<Record<string, string>> = { heldOut: "held-out concepts", shifted: "another hand" }
      const metrics: Record<string, number> = {}
      const rows: Array<ReadonlyArray<string | number>> = []
      const found: Array<ReadonlyArray<string>> = []
      for (const [name, set] of Object.entries(sets)) {
        const title = titles[name]!
        const measured = yield* measureSet(embedder, set, most, templates)
        const { images: shown, imageFeatures, captionFeatures } = measured
        const baseline = name === "shifted" ? yield* pixelBaseline(images.train, set, shown, most) : []
        for (const { name: what, at, share, chance, among } of [...measured.measures, ...baseline]) {
          rows.push([`${title}: ${what}`, `@${at}`, shownShare(share), percent(chance), among])
          const metric = metricOf(name, what, at)
          Object.assign(metrics, {
            [metric]: share.mean,
            [`${metric}Low`]: share.low,
            [`${metric}High`]: share.high,
            [`${metric}Chance`]: chance,
          })
        }
        metrics[`${name}.images`] = measured.images.length
        const { size } = images
        yield* showImages(similarityGrid(`similarity, ${title}`, shown, imageFeatures, captionFeatures, size))
        if (queries.length === 0) continue
        const grid = retrievedGrid(`found, ${title}`, queries, queried, shown, imageFeatures, size, columns)
        yield* showImages(grid)
        for (const [i, query] of queries.entries()) {
          const first = grid.tiles.slice(i * grid.columns, i * grid.columns + 3)
          found.push([query, title, first.map(({ text }) => text ?? "").join("; ")])
        }
      }
      const table = {
        title: "Zero-shot classification and retrieval",
        columns: ["of", "among the first", "right [95 %]", "chance", "among"],
        rows,
      }
      const samples = { columns: ["text", "images of", "nearest, with cosine"], rows: found }
      yield* emit({ type: "stage.table", ...table })
      if (found.length > 0) yield* emit({ type: "stage.samples", ...samples })
      return { metrics, tables: [table], samples } satisfies Evaluation
    }),
})
