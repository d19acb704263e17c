/** Losses as nodes. */
import { defineTensorNode, tensor } from "@millrace/core"
import type * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { diffusionLossNodes } from "../diffusion/nodes.js"
import { mapPixels } from "../layers/pixels.js"
import { logits, logProb, mask, NormaliserName, notNegative, positive } from "./configs.js"
import { contrastiveNode } from "./contrastive.js"
import { dvaeLoss } from "./dvae.js"
import { logitLaplace } from "./logitLaplace.js"
import { ppoLoss } from "./ppo.js"
import { priorLosses } from "./priors.js"
import { ptxLoss } from "./ptx.js"
import { rankingLoss } from "./ranking.js"
import { sftLoss } from "./sft.js"
import { uniformKl } from "./uniformKl.js"

const scalar = tensor("float32", "")
const nats = tensor("float32", "", "nat")
const fraction = tensor("float32", "", "[0,1]")
const values = tensor("float32", "b t", "value")

const pixels = tensor("float32", "b y x c", "[0,1]")
const pixelStats = {
  mean: tensor("float32", "b y x c", "pixel-logit"),
  logWidth: tensor("float32", "b y x c", "log-width"),
}
const codeLogits = tensor("float32", "b s k", "logit")

const Clip = Schema.Union([positive, Schema.Struct({ low: positive, high: positive })]).annotate({
  description: "0.2: Ouyang et al. 2022, appendix C. low and high: OpenRLHF.",
})

export const loss = {
  /** `logits`, `tokens`, `mask` -> the cross-entropy of the masked-in tokens given those before them. */
  sft: defineTensorNode({
    type: "loss.sft",
    version: 1,
    source: "Ouyang et al. 2022, section 3.5",
    config: Schema.Struct({ normaliser: NormaliserName }),
    ports: () => ({ in: { logits, tokens: tensor("int32", "b t", "token"), mask }, out: nats }),
    apply: (config, _, inputs) => sftLoss(inputs.logits, inputs.tokens, inputs.mask, config),
    laws: async ({ normaliser }) => (await import("../laws/lossNodeLaws.js")).sftNodeLaws(normaliser),
  }),

  /** `rewards`, `preference`, `mask` of K answers a prompt -> the ranking loss over all pairs. */
  ranking: defineTensorNode({
    type: "loss.ranking",
    version: 1,
    source: "Ouyang et al. 2022, eq. 1",
    config: Schema.Struct({
      divisor: Schema.Literals(["pairs-left", "choose-k"]).annotate({
        description:
          "What divides the losses of a prompt's pairs where ties were dropped. Unstated in Ouyang et al. 2022.",
      }),
      margin: Schema.optionalKey(notNegative.annotate({ description: "TRL" })),
      centering: Schema.optionalKey(notNegative.annotate({ description: "TRL; 0.01 is usual" })),
    }),
    ports: () => ({
      in: {
        rewards: tensor("float32", "b k", "reward"),
        preference: tensor("float32", "b k", "preference"),
        mask: tensor("float32", "b k", "mask"),
      },
      out: nats,
    }),
    apply: (config, _, { rewards, preference, mask }) => rankingLoss(rewards, preference, mask, config),
    laws: async (config) => (await import("../laws/lossNodeLaws.js")).rankingNodeLaws(config),
  }),

  /** Rollouts and what the networks now say of them -> the clipped policy and value losses, and statistics. */
  ppo: defineTensorNode({
    type: "loss.ppo",
    version: 1,
    source: "Schulman et al. 2017, eq. 7; Ouyang et al. 2022, appendix C",
    config: Schema.Struct({
      clip: Clip,
      valueClip: Schema.optionalKey(positive.annotate({ description: "0.2: lm-human-preferences" })),
      valueCoefficient: notNegative.annotate({ description: "0.1: lm-human-preferences, TRL. 1: trlX." }),
      normaliser: NormaliserName,
      dualClip: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(1)).annotate({ description: "OpenRLHF" })),
      logRatioClamp: Schema.optionalKey(positive.annotate({ description: "20: OpenRLHF" })),
    }),
    ports: () => ({
      in: {
        logProb,
        oldLogProb: logProb,
        advantages: tensor("float32", "b t", "advantage"),
        values,
        oldValues: values,
        returns: values,
        mask,
      },
      out: {
        loss: scalar,
        policyLoss: scalar,
        valueLoss: scalar,
        clipFraction: fraction,
        valueClipFraction: fraction,
        approxKl: nats,
      },
    }),
    apply: (config, _, batch) => ({ ...ppoLoss(batch, config) }),
    laws: async (config) => (await import("../laws/lossNodeLaws.js")).ppoNodeLaws(config),
  }),

  /** `ppo`, `pretraining` -> their sum, the second weighed by γ. */
  ptx: defineTensorNode({
    type: "loss.ptx",
    version: 1,
    source: "Ouyang et al. 2022, eq. 2",
    config: Schema.Struct({
      coefficient: notNegative.annotate({ description: "27.8: Ouyang et al. 2022, appendix C" }),
    }),
    ports: () => ({ in: { ppo: scalar, pretraining: nats }, out: scalar }),
    apply: (config, _, { ppo, pretraining }) => ptxLoss(ppo, pretraining, config),
    laws: async ({ coefficient }) => (await import("../laws/lossNodeLaws.js")).ptxNodeLaws(coefficient),
  }),

  ...priorLosses,
  /** `images`, `texts`, `logScale` -> which text belongs to each image, and which image to each text. */
  clip: contrastiveNode,
  /** `image`, its `mean` and `logWidth` from a dVAE's decoder, its `logits` from the encoder, `beta` -> the evidence bound. */
  dvae: defineTensorNode({
    type: "loss.dvae",
    version: 1,
    source: "Ramesh et al. 2021, equation 1 and appendix A.2",
    config: Schema.Struct({}),
    ports: () => ({
      in: { image: pixels, ...pixelStats, logits: codeLogits, beta: tensor("float32", "", "weight") },
      out: { loss: nats, reconstruction: nats, kl: nats },
    }),
    apply: (_, __, { beta, ...batch }) => ({ ...dvaeLoss(batch, beta as tf.Scalar) }),
    laws: async () => (await import("../laws/imageNodeLaws.js")).dvaeLossNodeLaws(),
  }),

  /** `image`, `mean`, `logWidth` -> the surprise at each of its numbers after the ε-map. */
  logitLaplace: defineTensorNode({
    type: "loss.logitLaplace",
    version: 1,
    source: "Ramesh et al. 2021, equation 2",
    config: Schema.Struct({}),
    ports: () => ({ in: { image: pixels, ...pixelStats }, out: tensor("float32", "b y x c", "nat") }),
    apply: (_, __, { image, mean, logWidth }) => logitLaplace(mapPixels(image), mean, logWidth),
    laws: async () => (await import("../laws/imageNodeLaws.js")).logitLaplaceNodeLaws(),
  }),

  /** `logits` -> KL of each place's codes from the uniform prior. */
  uniformKl: defineTensorNode({
    type: "loss.uniformKl",
    version: 1,
    source: "Ramesh et al. 2021, section 2.1",
    config: Schema.Struct({}),
    ports: () => ({ in: { logits: codeLogits }, out: tensor("float32", "b s", "nat") }),
    apply: (_, __, { logits }) => uniformKl(logits),
    laws: async () => (await import("../laws/imageNodeLaws.js")).uniformKlNodeLaws(),
  }),

  /** `image`, `noise`, `time`, `prediction` -> the loss of a diffusion model, and its parts. */
  diffusion: diffusionLossNodes.image,

  /** `embedding`, `noise`, `time`, `prediction` -> the squared error of a diffusion prior. */
  diffusionEmbedding: diffusionLossNodes.embedding,
}
