/** The models of the papers at their published sizes, as graphs: nothing is allocated. */
import { type Graph, graph, isPort, type Node, type Outputs, type Ports, type Sizes } from "@millrace/core/definitions"
import { clip } from "./clip/clip.js"
import { clipPresets } from "./clip/presets.js"
import { type DecoderConfig, decoder } from "./decoder.js"
import { decoderPresets } from "./decoderPresets.js"
import { dvae } from "./dvae.js"
import { dvaePresets } from "./dvaePresets.js"
import { type GptConfig, gpt } from "./gpt.js"
import { gptPresets } from "./gptPresets.js"
import type { PaperName } from "./paperNames.js"
import { reward } from "./reward.js"
import { sparse } from "./sparse.js"
import { sparsePresets } from "./sparsePresets.js"
import { autoregressivePrior } from "./unclip/autoregressivePrior.js"
import { type PriorConfig, prior } from "./unclip/prior.js"
import { autoregressivePriorPresets, priorPresets } from "./unclip/priorPresets.js"
import { upsampler } from "./upsampler.js"
import { upsamplerPresets } from "./upsamplerPresets.js"
import { value } from "./value.js"

/** A model at one size, with the sizes of one example. */
export interface PaperSize {
  readonly graph: Graph
  /** Sizes of the axes of the graph's inputs for one example. */
  readonly sizes: Sizes
  /** What an example is made of: its arithmetic is told for one of them. */
  readonly unit: "token" | "image" | "pair" | "step of an image" | "step of an embedding"
  /** How many of these one example has. */
  readonly count: number
}

export interface PaperModel {
  readonly source: string
  /** The graph is made when it is asked for. */
  readonly sizes: Readonly<Record<string, () => PaperSize>>
}

/** A graph of one node, which takes what the node takes and gives what it gives. */
const alone = (name: string, node: Node<Ports, Outputs>): Graph => {
  const wires = Object.fromEntries(Object.keys(node.in).map((port) => [port, port]))
  const built = graph(name, node.in).node("model", node, wires)
  return isPort(node.out)
    ? built.output("model")
    : built.output(Object.fromEntries(Object.keys(node.out).map((port) => [port, `model.${port}`])))
}

/** The same model at each of its presets. */
const atEach = <C>(presets: Readonly<Record<string, C>>, make: (name: string, config: C) => PaperSize) =>
  Object.fromEntries(Object.entries(presets).map(([name, config]) => [name, () => make(name, config)]))

/** A GPT, or a head on one, at the sizes of GPTs. */
const overTokens = (source: string, nodeOf: (config: GptConfig) => Node<Ports, Outputs>): PaperModel => ({
  source,
  sizes: atEach<GptConfig>(gptPresets, (name, config) => ({
    graph: alone(name, nodeOf(config)),
    sizes: { b: 1, t: config.context },
    unit: "token",
    count: config.context,
  })),
})

const clipGraph = (name: string, config: (typeof clipPresets)[keyof typeof clipPresets]): Graph => {
  const [image, text] = [clip.image(config), clip.text(config)]
  return graph(name, { image: image.in.image, tokens: text.in.tokens })
    .node("images", image, { image: "image" })
    .node("texts", text, { tokens: "tokens" })
    .node("logScale", clip.logScale({}), {})
    .output("images", "texts", "logScale")
}

const decoderNode = (config: DecoderConfig): Node<Ports, Outputs> => {
  if (config.text.kind === "clip") return decoder.predictFromClip(config)
  return config.image === undefined ? decoder.predictFromText(config) : decoder.predict(config)
}

/** Karlo's decoder is told of captions by CLIP ViT-L/14: 77 rows of 768. */
const encodedCaption = ({ text }: DecoderConfig): Sizes => (text.kind === "clip" ? { t: 77 } : {})

export const paperModels: Readonly<Record<string, PaperModel>> = {
  gpt: overTokens("Radford et al. 2019, table 2; Brown et al. 2020, table 2.1", gpt.logits),
  reward: overTokens("Ouyang et al. 2022, section 3.5", reward.score),
  value: overTokens("Ouyang et al. 2022, appendix C.4", value.values),
  clip: {
    source: "Radford et al. 2021, tables 19 and 20",
    sizes: atEach(clipPresets, (name, config) => ({
      graph: clipGraph(name, config),
      sizes: { b: 1, t: config.text.context },
      unit: "pair",
      count: 1,
    })),
  },
  "dvae-encoder": {
    source: "Ramesh et al. 2021, appendix A.1",
    sizes: atEach(dvaePresets, (name, config) => ({
      graph: alone(name, dvae.logits(config)),
      sizes: { b: 1 },
      unit: "image",
      count: 1,
    })),
  },
  "dvae-decoder": {
    source: "Ramesh et al. 2021, appendix A.1",
    sizes: atEach(dvaePresets, (name, config) => ({
      graph: alone(name, dvae.decodeRelaxed(config)),
      sizes: { b: 1 },
      unit: "image",
      count: 1,
    })),
  },
  sparse: {
    source: "Ramesh et al. 2021, section 2.2 and appendix B.1",
    sizes: atEach(sparsePresets, (name, config) => ({
      graph: alone(name, sparse.logits(config)),
      sizes: { b: 1 },
      unit: "token",
      count: config.text + config.rows * config.columns,
    })),
  },
  prior: {
    source: "Ramesh et al. 2022, table 3; kakaobrain/karlo",
    sizes: atEach<PriorConfig>(priorPresets, (name, config) => ({
      graph: alone(name, "vocab" in config.text ? prior.predict(config) : prior.predictEncoded(config)),
      sizes: { b: 1 },
      unit: "step of an embedding",
      count: 1,
    })),
  },
  "autoregressive-prior": {
    source: "Ramesh et al. 2022, table 3",
    sizes: atEach(autoregressivePriorPresets, (name, config) => ({
      graph: alone(name, autoregressivePrior.logitsEncoded(config)),
      sizes: { b: 1 },
      unit: "token",
      count: config.text.context + config.codes + 1,
    })),
  },
  decoder: {
    source: "Ramesh et al. 2022, table 3; Nichol et al. 2021, section 4.1; kakaobrain/karlo",
    sizes: atEach<DecoderConfig>(decoderPresets, (name, config) => ({
      graph: alone(name, decoderNode(config)),
      sizes: { b: 1, y: config.unet.size, x: config.unet.size, ...encodedCaption(config) },
      unit: "step of an image",
      count: 1,
    })),
  },
  upsampler: {
    source: "Ramesh et al. 2022, table 3",
    sizes: atEach(upsamplerPresets, (name, config) => ({
      graph: alone(name, upsampler.predict(config)),
      // A quarter of the sides, as it is given from the stage before.
      sizes: { b: 1, y: config.unet.size, x: config.unet.size, r: config.unet.size / 4, q: config.unet.size / 4 },
      unit: "step of an image",
      count: 1,
    })),
  },
} satisfies Readonly<Record<PaperName, PaperModel>>
