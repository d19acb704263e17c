/**
 * CLIP as the reward of PPO: the prior of DALL·E is a policy, an image's codes are its answer to a caption.
 *
 *   npm run example 06      a few minutes; the sprites of the scenes, 74 MB, are fetched once
 *
 * The stages are those of `dalle` at its small size with fewer steps, wired here by hand, with `dalle.ppo` after the prior. The
 * printed cosines are of the same captions with the same random numbers, before and after; the rise is that of each image.
 */
import { fileURLToPath } from "node:url"
import { adamW, Engines, graph, recordRun, runEvents } from "@millrace/core"
import {
  type CodePpoConfig,
  captionTokenizerStage,
  clipTrainStage,
  codePpoStage,
  codesStage,
  type DalleConfig,
  dallePresets,
  dvaeStage,
  type FitConfig,
  type ImagesNode,
  priorStage,
} from "@millrace/pipelines"
import { Effect } from "effect"
import { scenes } from "./data/scenes.js"

type Sizes = Pick<DalleConfig, "tokenizer" | "dvae" | "codes" | "prior" | "clip">

const { small } = dallePresets
const fewer = <Config extends { readonly fit: FitConfig }>(config: Config, steps: number): Config => ({
  ...config,
  fit: { ...config.fit, steps },
})
const sizes: Sizes = {
  ...small,
  dvae: { ...fewer(small.dvae, 800), temperature: { ...small.dvae.temperature, updates: 650 } },
  prior: fewer(small.prior, 300),
  clip: fewer(small.clip, 150),
}

const ppo: CodePpoConfig = {
  iterations: 12,
  episodes: 64,
  minibatch: 32,
  epochs: 2,
  schedule: { kind: "constant", peak: 3e-4, warmup: 0, floor: 1 },
  optimizer: { ...adamW, weightDecay: 0 },
  clip: 1,
  valueRate: 2,
  rewardScale: 20,
  beta: 0.01,
  lambda: 0.95,
  ratioClip: 0.2,
  valueClip: 0.2,
  valueCoefficient: 0.1,
  captions: 16,
  shown: 16,
}

/** Captioned images -> a prior that CLIP likes better. */
export const rewarded = (images: ImagesNode, config: Sizes = sizes, update: CodePpoConfig = ppo) =>
  graph("clip-reward", {})
    .node("images", images, {})
    .node("tokenizer", captionTokenizerStage(config.tokenizer), { images: "images" })
    .node("dvae", dvaeStage(config.dvae), { images: "images" })
    .node("codes", codesStage(config.codes), { images: "images", dvae: "dvae" })
    .node("prior", priorStage(config.prior), { codes: "codes", dvae: "dvae", tokenizer: "tokenizer" })
    .node("clip", clipTrainStage(config.clip), { images: "images", tokenizer: "tokenizer" })
    .node("ppo", codePpoStage(update), {
      prior: "prior",
      dvae: "dvae",
      tokenizer: "tokenizer",
      clip: "clip",
      images: "images",
    })
    .output("ppo")

const drawn = scenes({ size: 32, train: 4096, heldOut: 64, single: 0.5, background: "white" })

export const main = async (
  print: (line: string) => void = console.log,
  root = ".runs",
  recipe = rewarded(drawn),
): Promise<void> => {
  const events = runEvents()
  events.all.subscribe((event) => {
    if (event.type !== "stage.table" || event.stage !== "ppo") return
    for (const [policy, cosine, range] of event.rows) print(`${policy}: cosine ${cosine}, 95 % ${range}`)
  })
  const run = recordRun(recipe, { seed: 1, root, events })
  await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx"))))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
