/** The models of the papers at their published sizes, as graphs: nothing is allocated. */
import { type Graph, graph, type Sizes, tensor } from "@millrace/core"
import { gpt } from "./gpt.js"
import { gptPresets } from "./gptPresets.js"
import { reward } from "./reward.js"
import { type PriorConfig, prior } from "./unclip/prior.js"
import { priorPresets } from "./unclip/priorPresets.js"

/** A model at one size, with the sizes of one example. */
export interface PaperSize {
  readonly graph: Graph
  /** Sizes of the axes of the graph's inputs for one example. */
  readonly sizes: Sizes
  /** What an example is made of: its arithmetic is told for one of them. */
  readonly unit: "token" | "image" | "pair"
  /** How many of these one example has. */
  readonly count: number
}

export interface PaperModel {
  readonly source: string
  /** The graph is made when it is asked for. */
  readonly sizes: Readonly<Record<string, () => PaperSize>>
}

/** The same model at each of its presets. */
const atEach = <C>(presets: Readonly<Record<string, C>>, make: (name: string, config: C) => PaperSize) =>
  Object.fromEntries(Object.entries(presets).map(([name, config]) => [name, () => make(name, config)]))

const tokens = tensor("int32", "b t", "token")
const mask = tensor("float32", "b t", "mask")

const embedding = tensor("float32", "b c", "embedding")
const priorInputs = {
  noised: tensor("float32", "b c", "noisy"),
  time: tensor("int32", "b", "step"),
  textEmbedding: embedding,
  mask,
  kept: tensor("float32", "b", "mask"),
}
const wires = { noised: "noised", time: "time", textEmbedding: "textEmbedding", mask: "mask", kept: "kept" } as const
const priorGraph = (name: string, config: PriorConfig): Graph =>
  "vocab" in config.text
    ? graph(name, { ...priorInputs, text: tokens })
        .node("image", prior.predict(config), { ...wires, text: "text" })
        .output({ image: "image" })
    : graph(name, { ...priorInputs, text: tensor("float32", "b t d", "encoded text") })
        .node("image", prior.predictEncoded(config), { ...wires, text: "text" })
        .output({ image: "image" })

export const paperModels: Readonly<Record<string, PaperModel>> = {
  gpt: {
    source: "Radford et al. 2019, table 2; Brown et al. 2020, table 2.1",
    sizes: atEach(gptPresets, (name, config) => ({
      graph: graph(name, { tokens })
        .node("logits", gpt.logits(config), { tokens: "tokens" })
        .output({ logits: "logits" }),
      sizes: { b: 1, t: config.context },
      unit: "token",
      count: config.context,
    })),
  },
  reward: {
    source: "Ouyang et al. 2022, section 3.5",
    sizes: atEach(gptPresets, (name, config) => ({
      graph: graph(name, { tokens, mask })
        .node("score", reward.score(config), { tokens: "tokens", mask: "mask" })
        .output({ score: "score" }),
      sizes: { b: 1, t: config.context },
      unit: "token",
      count: config.context,
    })),
  },
  prior: {
    source: "Ramesh et al. 2022, table 3; kakaobrain/karlo",
    sizes: atEach<PriorConfig>(priorPresets, (name, config) => ({
      graph: priorGraph(name, config),
      sizes: { b: 1 },
      unit: "image",
      count: 1,
    })),
  },
}
