/** Capture: a tensor function becomes a Program by running its body once on tensors that have a shape but no value. */
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { CompileError, TensorFunction, Tensors } from "../engine.js"
import { EngineFailed, isFailure, NodeFailed, ShapeMismatch, UnsupportedOp, ValueDuringCapture } from "../errors.js"
import { type Specs, showSpec } from "../tensor.js"
import { withBackend } from "../tfjs.js"
import { unsupported } from "./captureBackend.js"
import type { Program, ProgramInput, ProgramOutput } from "./ir.js"
import { pathOfError } from "./path.js"
import { activeRecording, captureBackend, Recording, recordWith, valueError } from "./recording.js"

const isCompileError = (error: unknown): error is CompileError =>
  [EngineFailed, NodeFailed, ShapeMismatch, UnsupportedOp, ValueDuringCapture].some((known) => error instanceof known)

/** Randomness of tfjs is stateful and would be frozen into the program, so `Math.random` refuses while capturing. */
const withoutRandomness = <A>(recording: Recording, fn: () => A): A => {
  const before = Math.random
  Math.random = () =>
    recording.refuse(
      valueError(
        recording.where,
        "a random number was drawn (tf.random*, tf.truncatedNormal, tf.dropout, Math.random)",
        "randomness enters as an input: draw before, pass it in",
      ),
    )
  try {
    return fn()
  } finally {
    Math.random = before
  }
}

const failed = (name: string, error: unknown): CompileError => {
  if (isCompileError(error)) return error
  const path = pathOfError(error)
  const where = path === null || path === "" ? name : `${name} > ${path}`
  const message = error instanceof Error ? error.message : String(error)
  // Any other error of the framework, such as a sequence that is too long for a model, keeps its advice.
  if (isFailure(error)) {
    const { expected, received, fix } = error
    return new NodeFailed({ where, expected, received: `${error._tag}: ${received}`, fix, cause: error })
  }
  const missing = /^Kernel '(.*)' not registered for backend/.exec(message)?.[1]
  if (missing !== undefined) return unsupported(missing, where)
  return new NodeFailed({
    where,
    expected: "the body to run on tensors of the declared shapes",
    received: message.split("\n")[0] ?? message,
    fix: "see the cause",
    cause: error,
  })
}

const placeholders = (
  recording: Recording,
  specs: Specs,
  slot: string | null,
  inputs: Array<ProgramInput>,
): Record<string, tf.Tensor> =>
  Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const value = recording.value(spec)
      inputs.push({ name, slot, value })
      return [name, tf.engine().makeTensorFromTensorInfo(recording.tensor(value))]
    }),
  )

/** Checks what the body returned and names the values behind it. */
const results = (recording: Recording, fn: TensorFunction, returned: ReturnType<TensorFunction["body"]>) => {
  const problems: Array<string> = []
  const named = (tensors: Tensors, slot: string | null): ReadonlyArray<ProgramOutput> =>
    Object.entries(tensors).flatMap(([name, tensor]) => {
      const label = slot === null ? name : `${slot}/${name}`
      const wanted = slot === null ? undefined : fn.state[slot]?.[name]
      if (!(tensor instanceof tf.Tensor)) {
        problems.push(`${label} is not a tensor`)
        return []
      }
      const value = recording.valueOf(tensor)
      if (slot !== null && wanted === undefined) problems.push(`${label} is not declared as state`)
      if (wanted !== undefined && showSpec(wanted) !== showSpec(value)) {
        problems.push(`${label} is ${showSpec(value)}, its state is ${showSpec(wanted)}`)
      }
      return [{ name, slot, value }]
    })
  const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null && !("then" in value)
  if (!isRecord(returned) || !isRecord(returned.outputs)) {
    // Nobody else will look at the promise of an async body; unobserved, its failure would end the process.
    if ((returned as unknown) instanceof Promise) void Promise.resolve(returned).catch(() => {})
    throw new ShapeMismatch({
      where: fn.name,
      expected: "a body that returns { outputs, state? } at once",
      received: isRecord(returned) ? "no outputs" : "something else, perhaps a promise",
      fix: "return an object of named tensors from a function that is not async",
    })
  }
  const outputs = [
    ...named(returned.outputs, null),
    ...Object.entries(returned.state ?? {}).flatMap(([slot, tensors]) => named(tensors, slot)),
  ]
  if (problems.length > 0) {
    throw new ShapeMismatch({
      where: fn.name,
      expected: "outputs that are tensors, and new state of the declared names and types",
      received: problems.join("\n"),
      fix: "return every state tensor with the dtype and shape that it is declared with",
    })
  }
  return outputs
}

/**
 * The program of a tensor function. Throws ValueDuringCapture, UnsupportedOp, ShapeMismatch, or NodeFailed with the
 * body's own error as its cause. Captures do not nest. Frees every tensor that the body made.
 */
export const captureSync = (fn: TensorFunction): Program => {
  const outer = activeRecording()
  if (outer !== null) {
    throw new EngineFailed({
      where: `${outer.where} > ${fn.name}`,
      expected: "one capture at a time",
      received: `capture of ${fn.name} inside the capture of ${outer.name}`,
      fix: "call the body of the inner function directly",
    })
  }
  const recording = new Recording(fn.name)
  try {
    return withBackend(captureBackend, () =>
      recordWith(recording, () => {
        tf.engine().startScope(fn.name)
        try {
          const inputs: Array<ProgramInput> = []
          const state = Object.fromEntries(
            Object.entries(fn.state).map(([slot, specs]) => [slot, placeholders(recording, specs, slot, inputs)]),
          )
          const given = placeholders(recording, fn.inputs, null, inputs)
          const returned = withoutRandomness(recording, () => fn.body(state, given))
          if (recording.refused !== null) throw recording.refused
          const outputs = results(recording, fn, returned)
          const { constants, equations } = recording
          return { name: fn.name, inputs, constants, equations, outputs }
        } finally {
          tf.engine().endScope()
        }
      }),
    )
  } catch (error) {
    throw recording.refused ?? failed(fn.name, error)
  }
}

/** `captureSync` as an effect. */
export const capture = (fn: TensorFunction): Effect.Effect<Program, CompileError> =>
  Effect.try({ try: () => captureSync(fn), catch: (error) => failed(fn.name, error) })
