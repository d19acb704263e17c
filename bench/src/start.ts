/** The weights and the batch that all sides of a case start from, as files. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  encodeSafetensors,
  flatten,
  initParams,
  int32,
  isParamSpec,
  keyFromSeed,
  type ParamSpec,
  random,
} from "@millrace/core"
import { gptParams } from "@millrace/models"
import type { Case, Start } from "./case.js"

/** Of batches and prompts. */
export const batchKey = keyFromSeed(2)
const weightsKey = keyFromSeed(1)

const startOf = (found: Case): Start => {
  if (found.kind === "sample") {
    const { model, batch, promptLength } = found
    const prompts = random.integers(batchKey, [batch, promptLength], 0, model.vocab).data
    return {
      weights: initParams(flatten<ParamSpec>(gptParams(model), isParamSpec), weightsKey),
      batch: { prompts: int32([batch, promptLength], prompts) },
    }
  }
  const { objective, batch } = found.network(batchKey)
  return { weights: initParams(objective.paramSpecs, weightsKey), batch }
}

/** Writes `weights.safetensors` and `batch.safetensors`. */
export const writeStart = async (found: Case, folder: string): Promise<void> => {
  const { weights, batch } = startOf(found)
  await writeFile(join(folder, "weights.safetensors"), encodeSafetensors(weights))
  await writeFile(join(folder, "batch.safetensors"), encodeSafetensors(batch))
}
