/** Sizes of the recipe. */
import { adamW } from "@millrace/core"
import type { answersStage } from "./answers.js"
import type { comparisonsStage } from "./comparisons.js"
import type { demonstrationsStage } from "./demonstrations.js"
import type { evaluateStage } from "./evaluate.js"
import type { finetuneStage } from "./finetune.js"
import type { passagesStage } from "./passages.js"
import type { PpoConfig } from "./ppo/config.js"
import type { pretrainStage } from "./pretrain.js"
import type { rewardModelStage } from "./rewardModel.js"
import type { tokenizerStage } from "./tokenizer.js"

type ConfigOf<Make extends (config: never) => unknown> = Parameters<Make>[0]

/** The config of every stage of the recipe. */
export interface InstructGptConfig {
  readonly tokenizer: ConfigOf<typeof tokenizerStage>
  readonly passages: ConfigOf<typeof passagesStage>
  readonly pretrain: ConfigOf<typeof pretrainStage>
  readonly demonstrations: ConfigOf<typeof demonstrationsStage>
  readonly sft: ConfigOf<typeof finetuneStage>
  readonly answers: ConfigOf<typeof answersStage>
  readonly comparisons: ConfigOf<typeof comparisonsStage>
  readonly reward: ConfigOf<typeof rewardModelStage>
  readonly ppo: PpoConfig
  readonly evaluate: ConfigOf<typeof evaluateStage>
}

/** Cosine to 10 %, as InstructGPT trains SFT and reward models. */
const cosine = (peak: number, warmup = 0) => ({ kind: "cosine", peak, warmup, floor: 0.1 }) as const

/** A few minutes on two cores, and every effect of the paper visible. */
const small: InstructGptConfig = {
  tokenizer: { vocab: 2048, characters: 3_000_000 },
  passages: { promptLength: 8, continuationLength: 32, train: 12_000, heldOut: 1024 },
  pretrain: {
    model: { context: 64, width: 128, layers: 4, heads: 4 },
    batch: 16,
    fit: { steps: 1100, schedule: cosine(3e-3, 50), optimizer: adamW, clip: 1 },
  },
  demonstrations: { share: 0.25 },
  sft: { batch: 32, fit: { steps: 120, schedule: cosine(5e-4), optimizer: adamW, clip: 1 } },
  answers: { k: 4, train: 1280, heldOut: 256, temperature: 1, batch: 256 },
  comparisons: { noise: 0.5, grain: 1 },
  reward: { batch: 16, fit: { steps: 128, schedule: cosine(5e-4, 10), optimizer: adamW, clip: 1 } },
  ppo: {
    iterations: 24,
    episodes: 128,
    minibatch: 32,
    epochs: 1,
    schedule: { kind: "constant", peak: 3e-4, warmup: 8, floor: 1 },
    optimizer: { ...adamW, weightDecay: 0 },
    clip: 1,
    valueRate: 2,
    kl: { beta: 0.2, controller: "fixed", target: 10, horizon: 10_000, estimator: "k1" },
    placement: "last-token",
    whitening: "biased",
    discount: 1,
    lambda: 0.95,
    ratioClip: 0.2,
    valueClip: 0.2,
    valueCoefficient: 0.1,
    ptx: { windows: 16, coefficient: 0.5 },
  },
  evaluate: { prompts: 512, windows: 256, samples: 6, klLimit: 10 },
}

/** Every stage in seconds: for tests, and to try a change of the graph. Learns next to nothing. */
const tiny: InstructGptConfig = {
  ...small,
  tokenizer: { vocab: 320, characters: 60_000 },
  passages: { promptLength: 6, continuationLength: 24, train: 400, heldOut: 64 },
  pretrain: {
    model: { context: 32, width: 32, layers: 2, heads: 2 },
    batch: 16,
    fit: { ...small.pretrain.fit, steps: 30 },
  },
  sft: { batch: 16, fit: { ...small.sft.fit, steps: 10 } },
  answers: { ...small.answers, train: 32, heldOut: 16, batch: 64 },
  reward: { batch: 8, fit: { ...small.reward.fit, steps: 8 } },
  ppo: { ...small.ppo, iterations: 3, episodes: 32, minibatch: 16 },
  evaluate: { prompts: 32, windows: 16, samples: 2, klLimit: 10 },
}

export const instructgptPresets = { tiny, small } as const
