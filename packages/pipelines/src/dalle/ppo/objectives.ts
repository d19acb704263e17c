/** PPO over image codes as graphs of models and losses. */
import { graph, tensor } from "@millrace/core"
import { credit, loss, type SparseConfig } from "@millrace/models"
import { sequenceSum } from "../../instructgpt/nodes.js"
import type { CodePpoConfig } from "./config.js"
import { codeLogits, codeLogProbs, codeValues } from "./nodes.js"

const inputs = {
  tokens: tensor("int32", "b t", "token"),
  mask: tensor("float32", "b t", "mask"),
  codes: tensor("int32", "b s", "code"),
}
const float = <const Unit extends string>(unit: Unit) => tensor("float32", "b s", unit)

/** A rollout and its scores -> advantages, returns, the values before the update, and the KL of each image to the prior. */
export const codeExperience = (model: SparseConfig, { lambda }: Pick<CodePpoConfig, "lambda">) =>
  graph("code-experience", {
    ...inputs,
    every: float("mask"),
    logProb: float("log-prob"),
    score: tensor("float32", "b", "reward"),
    beta: tensor("float32", "", "reward per nat"),
  })
    .node("reference", codeLogits(model), { tokens: "tokens", mask: "mask", codes: "codes" }, { frozen: true })
    .node("referenceLogProb", codeLogProbs({}), { logits: "reference", codes: "codes" })
    .node("value", codeValues(model), { tokens: "tokens", mask: "mask", codes: "codes" })
    .node(
      "credit",
      credit.rewards({ placement: "last-token", estimator: "k1" }),
      { score: "score", logProb: "logProb", reference: "referenceLogProb", mask: "every", beta: "beta" },
      { axes: { t: "s" } },
    )
    .node(
      "gae",
      credit.advantages({ discount: 1, lambda }),
      { rewards: "credit.rewards", values: "value", mask: "every" },
      { axes: { t: "s" } },
    )
    .node(
      "advantages",
      credit.whiten({ shiftMean: true, variance: "biased" }),
      { advantages: "gae.advantages", mask: "every" },
      { axes: { t: "s" } },
    )
    .node("kl", sequenceSum({}), { x: "credit.kl" }, { axes: { t: "s" } })
    .output({ advantages: "advantages", returns: "gae.returns", values: "value", kl: "kl" })

/** A minibatch of experience -> the clipped losses of policy and value model. */
export const codeUpdate = (model: SparseConfig, config: CodePpoConfig) =>
  graph("code-update", {
    ...inputs,
    every: float("mask"),
    oldLogProb: float("log-prob"),
    advantages: float("advantage"),
    returns: float("value"),
    oldValues: float("value"),
  })
    .node("policy", codeLogits(model), { tokens: "tokens", mask: "mask", codes: "codes" })
    .node("logProb", codeLogProbs({}), { logits: "policy", codes: "codes" })
    .node("value", codeValues(model), { tokens: "tokens", mask: "mask", codes: "codes" })
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
        values: "value",
        oldValues: "oldValues",
        returns: "returns",
        mask: "every",
      },
      { axes: { t: "s" } },
    )
    .output({ loss: "ppo.loss", policyLoss: "ppo.policyLoss", valueLoss: "ppo.valueLoss", clipped: "ppo.clipFraction" })
