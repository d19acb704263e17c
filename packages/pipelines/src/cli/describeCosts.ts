/** What a model takes at one of its published sizes: what `millrace describe gpt --size gpt2-124m` adds. */
import { type Costs, costs, objectiveOf, resolveSizes, textTable } from "@millrace/core/definitions"
import type { PaperSize } from "@millrace/models/paperModels"

const scaled = (value: number, units: ReadonlyArray<string>): string => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)))
  const digits = value / 1000 ** power
  return `${digits.toLocaleString("en-US", { maximumSignificantDigits: 4 })} ${units[power]}`
}
const bytes = (value: number): string => scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"])
const operations = (value: number): string => scaled(value, ["", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"])

/** Of one example. */
const costsOf = ({ graph, sizes }: PaperSize): Costs => costs(objectiveOf(graph), resolveSizes(graph, sizes).inputs)

const trainingInAll = ({ memory }: Costs): number =>
  memory.weights + memory.gradients + memory.optimizer + memory.training

/** Parameters by whether they learn, operations of one example and bytes, with what an example is made of. */
export const costsJson = (size: PaperSize) => {
  const found = costsOf(size)
  const { parameters, flops, memory } = found
  return {
    example: { unit: size.unit, count: size.count },
    parameters: { ...parameters, all: parameters.trainable + parameters.frozen },
    flops,
    memory: { ...memory, all: trainingInAll(found) },
  }
}

export const describeCosts = (size: PaperSize): string => {
  const { unit, count } = size
  const found = costsOf(size)
  const { parameters, flops, memory } = found
  const each = `${unit}${count === 1 ? "" : `, of ${count.toLocaleString("en-US")}`}`
  const rows: ReadonlyArray<ReadonlyArray<string>> = [
    ["parameters", (parameters.trainable + parameters.frozen).toLocaleString("en-US"), ""],
    ["arithmetic, forward", operations(flops.forward / count), `per ${each}`],
    ["arithmetic, training", operations(flops.training / count), `per ${each}`],
    ["weights", bytes(memory.weights), "float32"],
    ["gradients", bytes(memory.gradients), "float32"],
    ["Adam's moments", bytes(memory.optimizer), "float32"],
    ["activations, forward", bytes(memory.forward), "one example, the most that lives at once"],
    ["activations, training", bytes(memory.training), "one example, nothing computed twice"],
    ["training in all", bytes(trainingInAll(found)), "batch of one"],
  ]
  return textTable({ title: "Costs", columns: ["what", "how much", "of"], rows })
}
