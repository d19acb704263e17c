/** The tfjs backend behind capture: its kernels infer shapes and append equations. Nothing is computed. */
import * as tf from "@tensorflow/tfjs-core"
import { UnsupportedOp, type ValueDuringCapture } from "../errors.js"
import { type Expansion, expansions } from "./expansions.js"
import type { Attr } from "./ir.js"
import { type Kernel, kernels } from "./kernels.js"
import { active, activeRecording, captureBackend, valueError } from "./recording.js"
import type { Attrs } from "./shapes.js"

type DataId = tf.TensorInfo["dataId"]

const read = (): ValueDuringCapture =>
  valueError(
    active().where,
    "a tensor's value was read (dataSync, arraySync, data, array, print)",
    "compute with tensors (tf.where instead of if), or pass the value as an input",
  )

class CaptureBackend extends tf.KernelBackend {
  override write(values: tf.BackendValues, shape: Array<number>, dtype: tf.DataType): DataId {
    const into = active()
    return into.write(values, shape, into.dtype(dtype, "a tensor")).dataId
  }
  override readSync(): never {
    return active().refuse(read())
  }
  override read(): Promise<never> {
    // A rejection that nobody awaits would end the process, so the promise stays open: capture fails by itself.
    active().refused ??= read()
    return new Promise(() => {})
  }
  override move(): never {
    throw new Error("internal: a tensor moved to the capture backend")
  }
  override numDataIds(): number {
    return activeRecording()?.size ?? 0
  }
  override refCount(dataId: DataId): number {
    return activeRecording()?.references(dataId) ?? 0
  }
  override incRef(dataId: DataId): void {
    activeRecording()?.references(dataId, 1)
  }
  override disposeData(dataId: DataId, force = false): boolean {
    const recording = activeRecording()
    if (recording === null) return true
    if (force) recording.forget(dataId)
    return recording.references(dataId, -1) === 0
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: false }
  }
  override floatPrecision(): 16 | 32 {
    return 32
  }
  override epsilon(): number {
    return 1e-7
  }
  override dispose(): void {}
}

type KernelCall = Parameters<tf.KernelFunc>[0]

const isGiven = <A>(value: A): value is NonNullable<A> => value !== undefined && value !== null

/** The operands in a row's order. */
const operands = (op: string, names: ReadonlyArray<string>, inputs: KernelCall["inputs"]): Array<tf.TensorInfo> => {
  const found: Array<tf.TensorInfo> = []
  for (const name of names) {
    const info = inputs[name]
    if (isGiven(info)) found.push(info)
  }
  const strange = Object.keys(inputs).find((name) => isGiven(inputs[name]) && !names.includes(name))
  if (strange !== undefined) {
    active().refuse(
      new UnsupportedOp({
        where: active().where,
        expected: `${op} of ${names.join(", ")}`,
        received: `${op} with ${strange}`,
        fix: "write it with plain operations",
      }),
    )
  }
  return found
}

const plain = (attrs: KernelCall["attrs"]): Attrs => {
  const kept: Record<string, Attr> = {}
  for (const name in attrs) {
    const value = attrs[name]
    if (isGiven(value)) kept[name] = value as Attr
  }
  return kept
}

const recorder = (op: string, kernel: Kernel): tf.KernelFunc => {
  const names = kernel.inputs === "list" ? null : kernel.inputs.map((name) => name.replace("?", ""))
  return ({ inputs, attrs }) => {
    const into = active()
    const given = names === null ? Object.values(inputs).filter(isGiven) : operands(op, names, inputs)
    const values = given.map((info) => into.valueOf(info))
    // What a clone stands for is its source: no equation.
    if (op === "Identity") return into.tensor(values[0]!)
    const told = plain(attrs)
    if (told.dtype !== undefined) into.dtype(String(told.dtype), op)
    const settled = kernel.normal ? kernel.normal(told, values) : told
    const made = into.equation(op, values, settled, kernel.infer(values, settled)).map((value) => into.tensor(value))
    return made.length === 1 && op !== "SplitV" && op !== "Unpack" ? made[0]! : made
  }
}

/** tfjs calls a kernel with tensors, whose operations record themselves. */
const expander =
  (expand: Expansion): tf.KernelFunc =>
  ({ inputs, attrs }) => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).flatMap(([name, info]) => (info instanceof tf.Tensor ? [[name, info] as const] : [])),
    )
    return expand(tensors, plain(attrs))
  }

/** The engines whose backend has a kernel, as far as their packages are loaded. */
const runners = (op: string): string => {
  const names = (
    [
      ["tfjs:cpu", "cpu"],
      ["tfjs:wasm", "wasm"],
      ["tfjs:node", "tensorflow"],
    ] as const
  ).filter(([, backend]) => tf.getKernel(op, backend) !== undefined)
  return names.length === 0 ? "" : `run it on ${names.map(([engine]) => engine).join(" or ")}, op by op, or `
}

/** The error of a kernel outside the table. */
export const unsupported = (op: string, where: string): UnsupportedOp =>
  new UnsupportedOp({
    where,
    expected: "an operation that programs support",
    received: op,
    fix: `${runners(op)}write it with supported operations`,
  })

const refuser =
  (op: string): tf.KernelFunc =>
  () => {
    const into = active()
    if (op !== "Multinomial") return into.refuse(unsupported(op, into.where))
    return into.refuse(
      valueError(
        into.where,
        "tf.multinomial draws random numbers",
        "randomness enters as an input: draw before, pass it in",
      ),
    )
  }

tf.registerBackend(captureBackend, () => new CaptureBackend(), 0)
const everyName = new Set([
  ...kernels.keys(),
  ...Object.entries(tf).flatMap(([key, value]) => (key === value ? [key] : [])),
  ...tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName),
])
const recording = (op: string): tf.KernelFunc => {
  const [kernel, expand] = [kernels.get(op), expansions.get(op)]
  if (expand !== undefined) return expander(expand)
  return kernel === undefined ? refuser(op) : recorder(op, kernel)
}
for (const kernelName of everyName) {
  tf.registerKernel({ kernelName, backendName: captureBackend, kernelFunc: recording(kernelName) })
}
