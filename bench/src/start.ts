/** The weights and the batch that all sides of a case start from, as files. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  encodeSafetensors,
  flatten,
  type HostTensors,
  initParams,
  int32,
  isParamSpec,
  keyFromSeed,
  normal,
  type ParamSpec,
  random,
} from "@millrace/core"
import { gptParams } from "@millrace/models"
import type { Case, Start } from "./case.js"

/** Of batches and prompts. */
export const batchKey = keyFromSeed(2)
const weightsKey = keyFromSeed(1)

/**
 * Weights of the papers' distributions; but what they start at zero is drawn too, so that no gradient is zero at first and
 * a wrong one anywhere shows in the losses.
 */
const draw = (specs: Readonly<Record<string, ParamSpec>>): HostTensors => {
  const drawn = ([name, spec]: [string, ParamSpec]) =>
    [name, spec.init.kind === "zeros" ? { ...spec, init: normal(0.02) } : spec] as const
  return initParams(Object.fromEntries(Object.entries(specs).map(drawn)), weightsKey)
}

const startOf = (found: Case): Start => {
  if (found.kind === "sample") {
    const { model, batch, promptLength } = found
    const prompts = random.integers(batchKey, [batch, promptLength], 0, model.vocab).data
    return {
      weights: draw(flatten<ParamSpec>(gptParams(model), isParamSpec)),
      batch: { prompts: int32([batch, promptLength], prompts) },
    }
  }
  const { objective, batch } = found.network(batchKey)
  return { weights: draw(objective.paramSpecs), batch }
}

/** Writes `weights.safetensors` and `batch.safetensors`. */
export const writeStart = async (found: Case, folder: string): Promise<void> => {
  const { weights, batch } = startOf(found)
  await writeFile(join(folder, "weights.safetensors"), encodeSafetensors(weights))
  await writeFile(join(folder, "batch.safetensors"), encodeSafetensors(batch))
}
