/** A tensor function as one file of ONNX, its state inside or as inputs. */
import type { TensorFunction } from "../engine.js"
import { BadData } from "../errors.js"
import { captureSync } from "../program/capture.js"
import { optimize } from "../program/passes.js"
import { type HostTensors, showSpec } from "../tensor.js"
import { lower } from "./lower.js"
import { tensorProto, withInitializers, withMetadata } from "./proto.js"

export interface FunctionExport {
  /** Values of whole slots that become part of the file; slots that are not named stay inputs, their next values outputs. */
  readonly state?: Readonly<Record<string, HostTensors>>
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * The function as the bytes of an `.onnx` file, in standard operators at the sizes of its inputs.
 * @throws BadData        a value of a named slot that is missing or of another type; a slot that the function writes
 * @throws UnsupportedOp  a kernel without a lowering
 */
export const exportFunction = (fn: TensorFunction, { state = {}, metadata = {} }: FunctionExport = {}): Uint8Array => {
  const wrong = Object.entries(state).flatMap(([slot, values]) =>
    Object.entries(fn.state[slot] ?? {}).flatMap(([name, spec]) => {
      const value = values[name]
      if (value === undefined) return [`${slot} > ${name}: missing`]
      return showSpec(value) === showSpec(spec) ? [] : [`${slot} > ${name}: ${showSpec(value)}, not ${showSpec(spec)}`]
    }),
  )
  const program = optimize(captureSync(fn))
  const written = program.outputs.flatMap(({ slot }) => (slot !== null && slot in state ? [slot] : []))
  wrong.push(...new Set(written.map((slot) => `${slot}: the function writes it, so that no value of it is its own`)))
  if (wrong.length > 0) {
    throw new BadData({
      where: `${fn.name} > ONNX`,
      expected: "the values of the function's state, of slots that it only reads",
      received: wrong.join("\n"),
      fix: "give the weights of this very config, and leave out slots that are to be inputs",
    })
  }
  const lowered = lower(program, { portable: true, constants: Object.keys(state) })
  const inside = program.inputs.flatMap(({ slot, name }, i) =>
    slot !== null && slot in state ? [tensorProto(lowered.inputs[i]!, state[slot]![name]!)] : [],
  )
  return withMetadata(inside.length === 0 ? lowered.bytes : withInitializers(lowered.bytes, inside), metadata)
}
