/** What a model takes at one of its published sizes, as text: what `millrace describe gpt --size gpt2-124m` adds. */
import { costs, objectiveOf, resolveSizes, textTable } from "@millrace/core/definitions"
import type { PaperSize } from "@millrace/models/paperModels"

const scaled = (value: number, units: ReadonlyArray<string>): string => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)))
  const digits = value / 1000 ** power
  return `${digits.toLocaleString("en-US", { maximumSignificantDigits: 4 })} ${units[power]}`
}
const bytes = (value: number): string => scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"])
const operations = (value: number): string => scaled(value, ["", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"])

export const describeCosts = ({ graph, sizes, unit, count }: PaperSize): string => {
  const { inputs } = resolveSizes(graph, sizes)
  const { parameters, flops, memory } = costs(objectiveOf(graph), inputs)
  const each = `${unit}${count === 1 ? "" : `, of ${count.toLocaleString("en-US")}`}`
  const training = memory.weights + memory.gradients + memory.optimizer + memory.training
  const rows: ReadonlyArray<ReadonlyArray<string>> = [
    ["parameters", (parameters.trainable + parameters.frozen).toLocaleString("en-US"), ""],
    ["arithmetic, forward", operations(flops.forward / count), `per ${each}`],
    ["arithmetic, training", operations(flops.training / count), `per ${each}`],
    ["weights", bytes(memory.weights), "float32"],
    ["gradients", bytes(memory.gradients), "float32"],
    ["Adam's moments", bytes(memory.optimizer), "float32"],
    ["activations, forward", bytes(memory.forward), "one example, the most that lives at once"],
    ["activations, training", bytes(memory.training), "one example, nothing computed twice"],
    ["training in all", bytes(training), "batch of one"],
  ]
  return textTable({ title: "Costs", columns: ["what", "how much", "of"], rows })
}
