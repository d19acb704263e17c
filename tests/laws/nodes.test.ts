/** Every node of the models under the laws that its ports imply and those that it carries. */
import type { TensorNode } from "@millrace/core"
import { lawRuns, nodeLaws } from "@millrace/core/laws"
import {
  bestOf,
  clip,
  credit,
  diffusion,
  dvae,
  gpt,
  kl,
  klEstimators,
  logProbs,
  loss,
  manipulation,
  normalisers,
  reward,
  scorePlacements,
  sparse,
  value,
} from "@millrace/models"
import { describe, expect, test } from "vitest"
import "./backend.js"
import "./replay.js"

const small = { vocab: 7, context: 6, width: 8, layers: 2, heads: 2 }
const picture = {
  textVocab: 3,
  text: 3,
  imageVocab: 4,
  rows: 2,
  columns: 3,
  width: 8,
  heads: 2,
  layers: 3,
} as const

/** Every node, with each option on somewhere. */
const nodes: ReadonlyArray<TensorNode> = [
  gpt.logits(small),
  gpt.maskedLogits(small),
  gpt.trunk({ ...small, heads: 1 }),
  reward.score(small),
  reward.scores(small),
  value.values(small),
  sparse.logits(picture),
  ...(["counted", "ignored"] as const).map((pads) => sparse.loss({ pads })),
  logProbs.of({}),
  logProbs.masked({}),
  ...normalisers.map((normaliser) => loss.sft({ normaliser })),
  loss.ranking({ divisor: "pairs-left" }),
  loss.ranking({ divisor: "choose-k" }),
  loss.ranking({ divisor: "choose-k", margin: 0.5, centering: 0.01 }),
  loss.ppo({ clip: 0.2, valueClip: 0.2, valueCoefficient: 0.1, normaliser: "token-mean" }),
  loss.ppo({
    clip: { low: 0.2, high: 0.3 },
    valueCoefficient: 1,
    normaliser: "sequence-mean",
    dualClip: 3,
    logRatioClamp: 20,
  }),
  loss.ptx({ coefficient: 27.8 }),
  loss.ptx({ coefficient: 0 }),
  kl.exact({}),
  kl.entropy({}),
  ...klEstimators.map((estimator) => kl.estimate({ estimator })),
  kl.estimate({ estimator: "k2", clamp: 10 }),
  ...scorePlacements.map((placement) => credit.rewards({ placement, estimator: "k1" })),
  credit.rewards({ placement: "fixed-end", estimator: "k3", klClamp: 10 }),
  credit.advantages({ discount: 1, lambda: 0.95 }),
  credit.advantages({ discount: 0.9, lambda: 0 }),
  credit.whiten({ shiftMean: true, variance: "unbiased" }),
  credit.whiten({ shiftMean: false, variance: "biased", epsilon: 1e-6 }),
  loss.clip({}),
  loss.dvae({}),
  loss.logitLaplace({}),
  loss.uniformKl({}),
  loss.prior({}),
  loss.codes({}),
  diffusion.noise({ schedule: { kind: "cosine", steps: 12 } }),
  diffusion.noiseEmbedding({ schedule: { kind: "linear", steps: 40 } }),
  loss.diffusion({
    schedule: { kind: "cosine", steps: 12 },
    parametrisation: "noise",
    variance: "learned-range",
    kind: "hybrid",
  }),
  loss.diffusion({
    schedule: { kind: "linear", steps: 40 },
    parametrisation: "velocity",
    variance: "fixed-small",
    kind: "simple",
  }),
  loss.diffusionEmbedding({ schedule: { kind: "cosine", steps: 12 }, parametrisation: "start" }),
  bestOf.codes({ keep: 2 }),
  dvae.relax({}),
  clip.classify({ scale: 100 }),
  ...[0, 0.25, 1].map((share) => manipulation.textDiff({ share })),
  ...[0, 0.5, 0.8, 1].map((share) => manipulation.interpolate({ share })),
]

for (const node of nodes) {
  const { subject, universal, own } = await nodeLaws(node)
  describe(`${subject.name} ${JSON.stringify(node.config)}`, () => {
    for (const { name, check } of [...universal, ...own]) test(name, () => check({ runs: Math.ceil(lawRuns / 3) }))
  })
}

describe("the laws of nodes", () => {
  test("every node carries laws of its own beside those that its ports imply", async () => {
    for (const node of nodes) {
      const { own, universal } = await nodeLaws(node)
      expect(own.length, node.type).toBeGreaterThan(0)
      expect(universal.length, node.type).toBeGreaterThanOrEqual(4)
    }
  })

  test("no law passes for want of an example", async () => {
    const untried: Array<string> = []
    for (const node of nodes) {
      const { own, universal } = await nodeLaws(node)
      for (const law of [...universal, ...own]) {
        if (law.trial({ runs: 3 }).runs === 0) untried.push(`${node.type}: ${law.name}`)
      }
    }
    expect(untried).toEqual([])
  })
})
