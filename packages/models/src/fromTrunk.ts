/** Models that start from others: a reward model from SFT, a value model from the reward model. */
import {
  BadData,
  flatten,
  type HostTensor,
  type HostTensors,
  isParamSpec,
  type ParamSpec,
  type Tree,
} from "@millrace/core"
import type { GptConfig } from "./gpt.js"
import { rewardParams, trunkParams } from "./reward.js"

const renamed = (specs: Tree<ParamSpec>, values: HostTensors, from: string, to: string): HostTensors => {
  const wrong: Array<string> = []
  const out: Record<string, HostTensor> = {}
  for (const [name, { shape }] of Object.entries(flatten(specs, isParamSpec))) {
    const value = values[from + name]
    if (value === undefined) wrong.push(`no ${from}${name}`)
    else if (value.shape.join() !== shape.join()) wrong.push(`${from}${name} [${value.shape.join(", ")}]`)
    else out[to + name] = value
  }
  if (wrong.length > 0) {
    throw new BadData({
      where: `parameters ${from}*`,
      expected: "the parameters of a trunk of the same config",
      received: wrong.slice(0, 8).join("\n"),
      fix: "check the prefix (the node's name and a dot) and that both models have one config",
    })
  }
  return out
}

/**
 * A trunk's values under the names of another model's trunk.
 * @param from    prefix of the names in `values`: `logits.` for a node `logits`, `score.trunk.` for a reward model
 * @param to      prefix of the names returned: `score.trunk.`
 * @throws BadData  a parameter is missing or has another shape
 */
export const fromTrunk = (config: GptConfig, values: HostTensors, from: string, to: string): HostTensors =>
  renamed(trunkParams(config), values, from, to)

/**
 * Trunk and head of a reward or value model under the names of another: `fromScalar(config, rm, "score.", "values.")`.
 * @throws BadData  a parameter is missing or has another shape
 */
export const fromScalar = (config: GptConfig, values: HostTensors, from: string, to: string): HostTensors =>
  renamed(rewardParams(config), values, from, to)
