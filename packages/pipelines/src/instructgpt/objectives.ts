/** The objectives of InstructGPT as graphs of models and losses. */
import { graph, tensor } from "@millrace/core"
import { credit, type GptConfig, gpt, kl, logProbs, loss, reward, value } from "@millrace/models"
import { predictors, rankedRight, sequenceSum, textLoss, valueBefore } from "./nodes.js"
import type { PpoConfig } from "./ppo/config.js"

const tokens = tensor("int32", "b t", "token")
const mask = tensor("float32", "b t", "mask")
const logProb = tensor("float32", "b t", "log-prob")
const values = tensor("float32", "b t", "value")

/** Text -> the loss of predicting each token from those before it. */
export const languageModelling = (config: GptConfig) =>
  graph("language-modelling", { tokens })
    .node("policy", gpt.logits(config), { tokens: "tokens" })
    .node("loss", textLoss({}), { logits: "policy", tokens: "tokens" })
    .output({ loss: "loss" })

/** Prompts with answers -> the loss on the answers alone. Padding is on the right, where it cannot reach a real token. */
export const fineTuning = (config: GptConfig) =>
  graph("fine-tuning", { tokens, mask })
    .node("policy", gpt.logits(config), { tokens: "tokens" })
    .node("loss", loss.sft({ normaliser: "token-mean" }), { logits: "policy", tokens: "tokens", mask: "mask" })
    .output({ loss: "loss" })

/** K answers a prompt and a labeler's ranking of them -> the ranking loss. */
export const ranking = (config: GptConfig) =>
  graph("ranking", {
    tokens: tensor("int32", "b k t", "token"),
    mask: tensor("float32", "b k t", "mask"),
    preference: tensor("float32", "b k", "preference"),
    present: tensor("float32", "b k", "mask"),
  })
    .node("reward", reward.scores(config), { tokens: "tokens", mask: "mask" })
    .node("loss", loss.ranking({ divisor: "pairs-left" }), {
      rewards: "reward",
      preference: "preference",
      mask: "present",
    })
    .node("accuracy", rankedRight({}), { rewards: "reward", preference: "preference", mask: "present" })
    .output("loss", "accuracy")

/** Prompts with answers -> one score each. */
export const scoring = (config: GptConfig) =>
  graph("scoring", { tokens, mask })
    .node("reward", reward.score(config), { tokens: "tokens", mask: "mask" })
    .output({ score: "reward" })

/** Prompts with answers -> KL(policy ‖ reference) over each answer, exactly. `mask` is of the answer's tokens. */
export const divergence = (config: GptConfig) =>
  graph("divergence", { tokens, mask })
    .node("policy", gpt.logits(config), { tokens: "tokens" })
    .node("reference", gpt.logits(config), { tokens: "tokens" }, { frozen: true })
    .node("predictors", predictors({}), { mask: "mask" })
    .node("perToken", kl.exact({}), { logits: "policy", reference: "reference", mask: "predictors" })
    .node("kl", sequenceSum({}), { x: "perToken" })
    .output({ kl: "kl" })

/** A rollout and its scores -> advantages, returns, the values before the update, and the KL of each answer. */
export const experienceOf = (model: GptConfig, config: PpoConfig) =>
  graph("experience", {
    tokens,
    real: mask,
    mask,
    logProb,
    score: tensor("float32", "b", "reward"),
    beta: tensor("float32", "", "reward per nat"),
  })
    .node("reference", gpt.logits(model), { tokens: "tokens" }, { frozen: true })
    .node("referenceLogProb", logProbs.of({}), { logits: "reference", tokens: "tokens" })
    .node("value", value.values(model), { tokens: "tokens", mask: "real" })
    .node("values", valueBefore({}), { values: "value" })
    .node("credit", credit.rewards({ placement: config.placement, estimator: config.kl.estimator }), {
      score: "score",
      logProb: "logProb",
      reference: "referenceLogProb",
      mask: "mask",
      beta: "beta",
    })
    .node("gae", credit.advantages({ discount: config.discount, lambda: config.lambda }), {
      rewards: "credit.rewards",
      values: "values",
      mask: "credit.mask",
    })
    .node("advantages", credit.whiten({ shiftMean: true, variance: config.whitening }), {
      advantages: "gae.advantages",
      mask: "mask",
    })
    .node("kl", sequenceSum({}), { x: "credit.kl" })
    .output("advantages", "gae.returns", "values", "kl")

/** A minibatch of experience and a batch of pretraining text -> the PPO-ptx loss. */
export const policyUpdate = (model: GptConfig, config: PpoConfig) =>
  graph("policy-update", {
    tokens,
    real: mask,
    mask,
    oldLogProb: logProb,
    advantages: tensor("float32", "b t", "advantage"),
    returns: values,
    oldValues: values,
    text: tensor("int32", "n s", "token"),
  })
    .node("policy", gpt.logits(model), { tokens: "tokens" })
    .node("logProb", logProbs.of({}), { logits: "policy", tokens: "tokens" })
    .node("value", value.values(model), { tokens: "tokens", mask: "real" })
    .node("values", valueBefore({}), { values: "value" })
    .node(
      "ppo",
      loss.ppo({
        clip: config.ratioClip,
        valueClip: config.valueClip,
        valueCoefficient: config.valueCoefficient,
        normaliser: "token-mean",
      }),
      {
        logProb: "logProb",
        oldLogProb: "oldLogProb",
        advantages: "advantages",
        values: "values",
        oldValues: "oldValues",
        returns: "returns",
        mask: "mask",
      },
    )
    .node("textLogits", gpt.logits(model), { tokens: "text" }, { shares: "policy", axes: { b: "n", t: "s" } })
    .node("textLoss", textLoss({}), { logits: "textLogits", tokens: "text" }, { axes: { b: "n", t: "s" } })
    .node("loss", loss.ptx({ coefficient: config.ptx.coefficient }), { ppo: "ppo.loss", pretraining: "textLoss" })
    .output("loss", "ppo.policyLoss", "ppo.valueLoss", "ppo.clipFraction", "textLoss")
