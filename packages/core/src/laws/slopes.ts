/** Gradients of a subject: of a weighted sum of all its real results, so that no symmetry hides one. */
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import {
  applied,
  continuousInputs,
  type Example,
  outPorts,
  paramsOf,
  type TensorSubject,
  tensorsOf,
} from "./subject.js"

/** Σ w x over every float output, and 1 · x for a scalar. float32 */
const weighedSum = (subject: TensorSubject, results: Readonly<Record<string, tf.Tensor>>): tf.Scalar => {
  const sums = Object.entries(outPorts(subject)).flatMap(([name, port]) => {
    if (port.dtype !== "float32") return []
    const flat = tf.reshape(results[name]!, [-1])
    const weights = Array.from({ length: flat.size }, (_, i) => Math.cos(2.4 * i))
    return [tf.sum(tf.mul(flat, tf.tensor1d(weights)))]
  })
  return sums.length === 0 ? tf.scalar(0) : (tf.addN(sums) as tf.Scalar)
}

/** Numbers by the name of an input, or of a parameter as `params.name`. */
export type Slopes = Readonly<Record<string, ReadonlyArray<number>>>

const parameter = (name: string): string => `params.${name}`

/** What has a slope: the names of continuous inputs and of parameters. */
const variables = (subject: TensorSubject): ReadonlyArray<string> => [
  ...continuousInputs(subject),
  ...Object.keys(subject.params ?? {}).map(parameter),
]

const call = (subject: TensorSubject, inputs: Readonly<Record<string, tf.Tensor>>, params: typeof inputs): tf.Scalar =>
  weighedSum(subject, applied(subject, inputs, params))

/** The weighted sum, with steps added to variables. */
export const valueAt = (subject: TensorSubject, example: Example, steps: Slopes = {}): number => {
  const moved = (tensor: tf.Tensor, by: ReadonlyArray<number> | undefined): tf.Tensor =>
    by === undefined ? tensor : tf.add(tensor, tf.tensor([...by], tensor.shape))
  const inputs = Object.entries(tensorsOf(subject, example)).map(([name, x]) => [name, moved(x, steps[name])] as const)
  const params = Object.entries(paramsOf(subject)).map(([name, x]) => [name, moved(x, steps[parameter(name)])] as const)
  return call(subject, Object.fromEntries(inputs), Object.fromEntries(params)).dataSync()[0]!
}

/** tfjs says so where nothing differentiable leads from a variable to a result, or where an operation has no gradient. */
const hasNoGradient = (error: unknown): boolean =>
  error instanceof Error && /^Cannot compute gradient/.test(error.message)

/** The gradient by every variable; 0 where nothing leads from one to a result. An example without any gradient is none. */
export const slopesOf = (subject: TensorSubject, example: Example): Slopes => {
  const inputs = tensorsOf(subject, example)
  const params = paramsOf(subject)
  const names = variables(subject)
  const at = names.map((name) => inputs[name] ?? params[name.slice("params.".length)]!)
  try {
    const { grads } = tf.engine().gradients(() => call(subject, inputs, params), at, undefined, true)
    return Object.fromEntries(
      names
        .map((name, i) => [name, grads[i] == null ? at[i]!.dataSync().map(() => 0) : grads[i].dataSync()])
        .map(([name, numbers]) => [name, Array.from(numbers as Float32Array)]),
    )
  } catch (error) {
    if (hasNoGradient(error)) fc.pre(false)
    throw error
  }
}
