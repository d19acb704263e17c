/** CLIP on pairs of images and texts: the model and the loss of the framework itself. */
import { int32, type Key, objectiveOf, random, split } from "@millrace/core"
import { type ClipConfig, type ClipTextConfig, clipTraining } from "@millrace/models"
import { type Network, specsOfBatch } from "./network.js"

export type ClipStep = ClipConfig & { readonly batch: number }

/** Every text ends at its last position. */
const texts = ({ vocab, context }: ClipTextConfig, batch: number, key: Key) => {
  const tokens = random.integers(key, [batch, context], 0, vocab - 1).data
  for (let i = 1; i <= batch; i++) tokens[i * context - 1] = vocab - 1
  return int32([batch, context], tokens)
}

export const clipNetwork = ({ batch: b, ...model }: ClipStep, key: Key): Network => {
  const { size } = model.image
  const batch = {
    pixels: random.normal(split(key, "image"), [b, size, size, 3]),
    tokens: texts(model.text, b, split(key, "tokens")),
  }
  return { objective: objectiveOf(clipTraining(model)), inputs: specsOfBatch(batch), batch }
}
