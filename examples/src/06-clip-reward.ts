/**
 * CLIP as the reward of PPO: the prior of DALL·E is a policy, an image's codes are its answer to a caption.
 *
 *   npm run example 06      about a minute; the sprites of the scenes, 74 MB, are fetched once
 *
 * The stages are those of `dalle` at its smallest size, wired here by hand, with `dalle.ppo` after the prior. The printed
 * cosines are of the same captions with the same random numbers, before and after; the rise is that of each image.
 */
import { fileURLToPath } from "node:url"
import { adamW, Engines, graph, recordRun, runEvents } from "@millrace/core"
import {
  captionTokenizerStage,
  clipTrainStage,
  codePpoStage,
  codesStage,
  dallePresets,
  dvaeStage,
  type ImagesNode,
  priorStage,
} from "@millrace/pipelines"
import { Effect } from "effect"
import { scenes } from "./data/scenes.js"

const { tiny } = dallePresets
const size = tiny.clip.model.image.size

const ppo = codePpoStage({
  iterations: 12,
  episodes: 32,
  minibatch: 16,
  epochs: 2,
  schedule: { kind: "constant", peak: 5e-3, warmup: 0, floor: 1 },
  optimizer: { ...adamW, weightDecay: 0 },
  clip: 1,
  valueRate: 2,
  rewardScale: 20,
  beta: 0.001,
  lambda: 0.95,
  ratioClip: 0.2,
  valueClip: 0.2,
  valueCoefficient: 0.1,
  captions: 8,
  shown: 8,
})

/** Captioned images -> a prior that CLIP likes better. */
export const rewarded = (images: ImagesNode) =>
  graph("clip-reward", {})
    .node("images", images, {})
    .node("tokenizer", captionTokenizerStage(tiny.tokenizer), { images: "images" })
    .node("dvae", dvaeStage(tiny.dvae), { images: "images" })
    .node("codes", codesStage(tiny.codes), { images: "images", dvae: "dvae" })
    .node("prior", priorStage(tiny.prior), { codes: "codes", dvae: "dvae", tokenizer: "tokenizer" })
    .node("clip", clipTrainStage(tiny.clip), { images: "images", tokenizer: "tokenizer" })
    .node("ppo", ppo, { prior: "prior", dvae: "dvae", tokenizer: "tokenizer", clip: "clip", images: "images" })
    .output("ppo")

export const main = async (
  print: (line: string) => void = console.log,
  root = ".runs",
  images: ImagesNode = scenes({ size, train: 512, heldOut: 64, single: 0.5, background: "white" }),
): Promise<void> => {
  const events = runEvents()
  events.all.subscribe((event) => {
    if (event.type !== "stage.table" || event.stage !== "ppo") return
    for (const [policy, cosine, range] of event.rows) print(`${policy}: cosine ${cosine}, 95 % ${range}`)
  })
  const run = recordRun(rewarded(images), { seed: 1, root, events })
  await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx"))))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
