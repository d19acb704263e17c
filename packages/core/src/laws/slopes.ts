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
export type Slopes = Readonly<Record<string, Float32Array>>

const parameter = (name: string): string => `params.${name}`

/** What has a slope: the names of continuous inputs and of parameters. */
const variables = (subject: TensorSubject): ReadonlyArray<string> => [
  ...continuousInputs(subject),
  ...Object.keys(subject.params ?? {}).map(parameter),
]

const call = (subject: TensorSubject, inputs: Readonly<Record<string, tf.Tensor>>, params: typeof inputs): tf.Scalar =>
  weighedSum(subject, applied(subject, inputs, params))

/** The weighted sum, a step further in a direction. */
export const valueAt = (subject: TensorSubject, example: Example, direction: Slopes, step: number): number => {
  const moved = (tensor: tf.Tensor, by: Float32Array | undefined): tf.Tensor =>
    by === undefined ? tensor : tf.add(tensor, tf.mul(step, tf.tensor(by, tensor.shape)))
  const all = (tensors: Readonly<Record<string, tf.Tensor>>, key: (name: string) => string) =>
    Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, moved(x, direction[key(name)])]))
  return call(
    subject,
    all(tensorsOf(subject, example), (name) => name),
    all(paramsOf(subject), parameter),
  ).dataSync()[0]!
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
  fc.pre(at.length > 0)
  try {
    const { grads } = tf.engine().gradients(() => call(subject, inputs, params), at, undefined, true)
    const numbers = (i: number): Float32Array => (grads[i] ?? tf.zerosLike(at[i]!)).dataSync<"float32">()
    return Object.fromEntries(names.map((name, i) => [name, numbers(i)]))
  } catch (error) {
    if (hasNoGradient(error)) fc.pre(false)
    throw error
  }
}
