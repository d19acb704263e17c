/** The sparse transformer of DALL·E over captions and image codes: the model and the loss of the framework itself. */
import { float32, graph, int32, type Key, objectiveOf, random, split, tensor } from "@millrace/core"
import { type SparseConfig, sparse } from "@millrace/models"
import { type Network, specsOfBatch } from "./network.js"

export interface SparseStep extends SparseConfig {
  readonly batch: number
  /** Tokens of each caption; the rest of the text is padding, which is predicted too. */
  readonly caption: number
}

const inputs = {
  tokens: tensor("int32", "b t", "token"),
  mask: tensor("float32", "b t", "mask"),
  codes: tensor("int32", "b s", "code"),
}

const objective = (model: SparseConfig) =>
  graph("text-to-codes", inputs)
    .node("logits", sparse.logits(model), { tokens: "tokens", mask: "mask", codes: "codes" })
    .node("cost", sparse.loss({ pads: "counted" }), {
      text: "logits.text",
      image: "logits.image",
      tokens: "tokens",
      mask: "mask",
      codes: "codes",
    })
    .output({ loss: "cost.loss" })

export const sparseNetwork = ({ batch: b, caption, ...model }: SparseStep, key: Key): Network => {
  const { text: t, rows, columns } = model
  const codes = [b, rows * columns]
  const batch = {
    tokens: int32([b, t], random.integers(split(key, "tokens"), [b, t], 0, model.textVocab).data),
    mask: float32(
      [b, t],
      Float32Array.from({ length: b * t }, (_, i) => (i % t < caption ? 1 : 0)),
    ),
    codes: int32(codes, random.integers(split(key, "codes"), codes, 0, model.imageVocab).data),
  }
  return { objective: objectiveOf(objective(model)), inputs: specsOfBatch(batch), batch }
}
