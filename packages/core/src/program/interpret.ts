/** Runs a program equation by equation on a tfjs backend: the meaning of a program, and the oracle of its tests. */
import * as tf from "@tensorflow/tfjs-core"
import { ShapeMismatch, UnsupportedOp } from "../errors.js"
import { type HostTensor, type HostTensors, showSpec } from "../tensor.js"
import { withBackend } from "../tfjs.js"
import { decompose } from "./fused.js"
import type { Equation, Program, ProgramInput, Value } from "./ir.js"
import { kernels } from "./kernels.js"

const upload = ({ data, shape, dtype }: HostTensor): tf.Tensor => tf.tensor(data, [...shape], dtype)

const download = (tensor: tf.Tensor, { dtype, shape }: Value): HostTensor => ({
  dtype,
  shape,
  data: tensor.dataSync<"float32">().slice(),
})

/** `"slot/name"`, or `"name"` for what has no slot. */
export const labelOf = ({ name, slot }: { readonly name: string; readonly slot: string | null }): string =>
  slot === null ? name : `${slot}/${name}`

/** One equation on the active backend. */
export const runEquation = ({ op, attrs, path }: Equation, inputs: ReadonlyArray<tf.Tensor>): Array<tf.Tensor> => {
  const kernel = kernels.get(op)
  const plain = decompose.get(op)
  if (plain !== undefined) return [...plain(inputs, attrs)]
  if (kernel === undefined || tf.getKernel(op, tf.getBackend()) === undefined) {
    throw new UnsupportedOp({
      where: path,
      expected: `a kernel of the tfjs backend ${tf.getBackend()}`,
      received: op,
      fix: "interpret the program on cpu",
    })
  }
  const { inputs: names } = kernel
  const named =
    names === "list" ? inputs : Object.fromEntries(inputs.map((input, i) => [names[i]!.replace("?", ""), input]))
  const made = tf
    .engine()
    .runKernel<tf.Tensor | Array<tf.Tensor>>(op, named as tf.NamedTensorMap, { ...attrs } as tf.NamedAttrMap)
  return Array.isArray(made) ? made : [made]
}

const checked = (inputs: ReadonlyArray<ProgramInput>, given: HostTensors, where: string): void => {
  const problems = inputs.flatMap((input) => {
    const label = labelOf(input)
    const tensor = given[label]
    if (tensor === undefined) return [`${label} is missing`]
    return showSpec(tensor) === showSpec(input.value) ? [] : [`${label} is ${showSpec(tensor)}`]
  })
  if (problems.length === 0) return
  throw new ShapeMismatch({
    where,
    expected: inputs.map((input) => `${labelOf(input)} ${showSpec(input.value)}`).join(", "),
    received: problems.join("\n"),
    fix: "pass every input with the dtype and shape that the program was captured with",
  })
}

/**
 * The outputs of a program, by `"name"` or `"slot/name"`; inputs are named alike. Values are freed after their last use.
 * Throws ShapeMismatch where an input is missing or of another type.
 */
export const interpret = (program: Program, inputs: HostTensors, backend = "cpu"): HostTensors =>
  withBackend(backend, () => {
    checked(program.inputs, inputs, program.name)
    const lastUse = new Map<number, number>()
    program.equations.forEach((equation, i) => {
      for (const { id } of equation.inputs) lastUse.set(id, i)
    })
    for (const { value } of program.outputs) lastUse.set(value.id, Number.POSITIVE_INFINITY)
    const values = new Map<number, tf.Tensor>()
    try {
      for (const input of program.inputs) values.set(input.value.id, upload(inputs[labelOf(input)]!))
      for (const { value, tensor } of program.constants) values.set(value.id, upload(tensor))
      program.equations.forEach((equation, i) => {
        const made = tf.tidy(() =>
          runEquation(
            equation,
            equation.inputs.map(({ id }) => values.get(id)!),
          ),
        )
        equation.outputs.forEach(({ id }, k) => {
          values.set(id, made[k]!)
        })
        for (const { id } of [...equation.inputs, ...equation.outputs]) {
          if ((lastUse.get(id) ?? -1) > i) continue
          values.get(id)?.dispose()
          values.delete(id)
        }
      })
      return Object.fromEntries(
        program.outputs.map((output) => [labelOf(output), download(values.get(output.value.id)!, output.value)]),
      )
    } finally {
      for (const tensor of values.values()) tensor.dispose()
    }
  })
