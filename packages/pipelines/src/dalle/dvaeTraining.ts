/** The training of a discrete VAE: its model for images of a size, a step's inputs, first values. */
import { float32, type HostTensors, initParams, type Key, type Objective, objectiveOf, spec } from "@millrace/core"
import type { DvaeConfig } from "@millrace/models"
import { Schema } from "effect"
import { Count } from "../ranges.js"
import type { FitConfig, Training } from "../trainer.js"
import { discreteCoding } from "./objectives.js"

/** A discrete VAE's shape without what the images decide. */
export const DvaeShape = Schema.Struct({ vocab: Count, groups: Count, blocks: Count, width: Count, first: Count })

/** The model for images of `size` pixels each way. */
export const modelFor = (shape: typeof DvaeShape.Type, size: number): Omit<DvaeConfig, "channels"> => {
  const stride = 2 ** (shape.groups - 1)
  return { ...shape, rows: size / stride, columns: size / stride }
}

export const trainingFor = (
  model: DvaeConfig,
  size: number,
  batch: number,
  least: number | undefined,
  config: FitConfig,
): Training => ({
  objective: objectiveOf(discreteCoding(model, least)),
  inputs: {
    image: spec("float32", [batch, size, size, 3]),
    uniform: spec("float32", [batch, model.rows * model.columns, model.vocab]),
    temperature: spec("float32", []),
    beta: spec("float32", []),
  },
  config,
})

const firstLayer = "decoder.input.weight"

/**
 * First values. Those of the decoder's first layer are √vocab times what is drawn by the rule of all layers, which is for inputs
 * that are all as large as one another: of the codes of a place all but one are 0.
 */
export const initialOf = (specs: Objective["paramSpecs"], vocab: number, key: Key): HostTensors => {
  const drawn = initParams(specs, key)
  const { shape, data } = drawn[firstLayer]!
  const louder = Float32Array.from(data, (weight) => Math.sqrt(vocab) * weight)
  return { ...drawn, [firstLayer]: float32(shape, louder) }
}
