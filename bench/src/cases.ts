/** The table of cases: the sizes of issue and README, in the order in which they are printed. */
import type { Key } from "@millrace/core"
import { type GptConfig, gptPresets } from "@millrace/models"
import type { Against, Case, TrainCase } from "./case.js"
import { type ClipStep, clipNetwork } from "./networks/clip.js"
import { type DvaeStep, dvaeNetwork } from "./networks/dvae.js"
import { type GptStep, gptNetwork } from "./networks/gpt.js"
import type { Network } from "./networks/network.js"
import { type SparseStep, sparseNetwork } from "./networks/sparse.js"
import { type UnetStep, unetNetwork } from "./networks/unet.js"

const small: GptConfig = { vocab: 1024, context: 128, width: 256, layers: 4, heads: 4 }
const gpt2: GptConfig = gptPresets["gpt2-124m"]

const train = <Config extends object>(
  name: string,
  title: string,
  twin: string,
  make: (config: Config, key: Key) => Network,
  config: Config,
  against: Against,
): TrainCase => ({
  kind: "train",
  name,
  title,
  twin,
  config: Object.fromEntries(Object.entries(config)),
  network: (key) => make(config, key),
  against,
})

const gptStep: GptStep = { ...small, batch: 8, length: 128 }
const text = { vocab: 1024, context: 32, width: 256, layers: 6, heads: 4 } as const
const vit: ClipStep = {
  joint: 256,
  text,
  image: { kind: "vit", size: 64, patch: 8, width: 256, layers: 6, heads: 4 },
  batch: 64,
}
const resNet: ClipStep = {
  joint: 256,
  text: { ...text, layers: 2 },
  image: { kind: "resnet", size: 64, width: 32, stages: [1, 1, 1, 1] },
  batch: 32,
}
const dvae: DvaeStep = {
  size: 64,
  groups: 3,
  blocks: 2,
  width: 64,
  first: 128,
  vocab: 512,
  temperature: 1,
  kl: 6.6,
  batch: 16,
}
const unet: UnetStep = {
  size: 64,
  width: 64,
  multipliers: [1, 2, 3, 4],
  blocks: 1,
  attention: [16],
  headWidth: 64,
  resample: "convolution",
  steps: 1000,
  batch: 4,
}
const sparse: SparseStep = {
  textVocab: 1024,
  imageVocab: 1024,
  text: 256,
  rows: 32,
  columns: 32,
  width: 256,
  layers: 4,
  heads: 4,
  batch: 1,
  caption: 192,
}

export const cases: ReadonlyArray<Case> = [
  train("gpt", "GPT step, 4 layers × 256, 128 tokens × 8, vocabulary 1,024", "gpt", gptNetwork, gptStep, {
    torch: 1.3,
    "torch.compile": 1,
    "tfjs-wasm": 6,
    "tfjs-node": null,
    "jax-js": 6,
  }),
  train("gpt2", "GPT-2 124M step, 128 tokens × 4", "gpt", gptNetwork, { ...gpt2, batch: 4, length: 128 } as GptStep, {
    torch: 1.1,
    "torch.compile": 1,
  }),
  ...([8, 32] as const).map(
    (batch): Case => ({
      kind: "sample",
      name: `sample-${batch}`,
      title: `sampling, 4 layers × 256, batch ${batch}, 32 + 64 tokens`,
      model: small,
      batch,
      promptLength: 32,
      length: 64,
      against: { transformers: batch === 8 ? 3.5 : 2.5 },
    }),
  ),
  {
    kind: "sample",
    name: "sample-gpt2",
    title: "sampling, GPT-2 124M, batch 8, 64 + 32 tokens",
    model: gpt2,
    batch: 8,
    promptLength: 64,
    length: 32,
    against: { transformers: 3 },
  },
  {
    kind: "sample",
    name: "cache",
    title: "sampling, 4 layers × 256, batch 8, 8 + 120 tokens",
    model: small,
    batch: 8,
    promptLength: 8,
    length: 120,
    against: { "millrace-uncached": null },
  },
  train(
    "clip-vit",
    "CLIP ViT step, width 256, 6 layers, 64 px / 8, batch 64, text tower 6 layers × 256, 32 tokens",
    "clip",
    clipNetwork,
    vit,
    { torch: 1.2 },
  ),
  train(
    "clip-resnet",
    "CLIP modified-ResNet step, stages 1,1,1,1, width 32, 64 px, batch 32, text tower 2 layers × 256, 32 tokens",
    "clip",
    clipNetwork,
    resNet,
    { torch: 1, "torch-channels-last": null },
  ),
  train(
    "dvae",
    "dVAE step, 64 px, 3 groups of 2 blocks, width 64, vocabulary 512, batch 16",
    "dvae",
    dvaeNetwork,
    dvae,
    { torch: 1, "torch-channels-last": null },
  ),
  train(
    "unet",
    "diffusion U-Net step, 64 px, width 64 × (1, 2, 3, 4), 1 block a level, attention at 16, batch 4",
    "unet",
    unetNetwork,
    unet,
    { torch: 1, "torch-channels-last": null },
  ),
  train(
    "sparse",
    "sparse transformer step, 256 + 1,024 tokens, 4 layers × 256, vocabularies 1,024, batch 1",
    "sparse",
    sparseNetwork,
    sparse,
    { torch: 2 },
  ),
  {
    kind: "check",
    name: "products",
    title: "share of a GPT step that matrix products take",
    network: (key) => gptNetwork(gptStep, key),
    check: { kind: "products", runs: 20, share: 0.75 },
  },
  {
    kind: "check",
    name: "repeat",
    title: "20 repeats of a GPT step from the same state give the same bits",
    network: (key) => gptNetwork(gptStep, key),
    check: { kind: "repeat", times: 20 },
  },
  {
    kind: "check",
    name: "leak",
    title: "10,000 small steps after 6,000 that warm up: growth of resident memory",
    network: (key) => gptNetwork({ vocab: 64, context: 16, width: 32, layers: 1, heads: 2, batch: 2, length: 16 }, key),
    check: { kind: "grow", warmup: 6000, steps: 10_000, megabytes: 5 },
  },
  {
    kind: "check",
    name: "lateness",
    title: "while the GPT trains, the main thread's event loop is late by at most (99th percentile)",
    network: (key) => gptNetwork(gptStep, key),
    check: { kind: "lateness", steps: 20 },
  },
]
