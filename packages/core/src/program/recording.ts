/** The tfjs backend behind capture: its kernels infer shapes and append equations. Nothing is computed. */
import * as tf from "@tensorflow/tfjs-core"
import { UnsupportedOp, ValueDuringCapture } from "../errors.js"
import type { DType, HostTensor, TensorSpec } from "../tensor.js"
import type { Attr, Constant, Equation, Value } from "./ir.js"
import { type Kernel, kernels } from "./kernels.js"
import { currentPath } from "./path.js"
import { type Attrs, dtypeOf } from "./shapes.js"

export const captureBackend = "millrace:capture"

/** True while tensor code is being recorded. */
export const capturing = (): boolean => tf.getBackend() === captureBackend

type DataId = tf.TensorInfo["dataId"]

/** What one capture has seen so far. */
export class Recording {
  readonly name: string
  readonly constants: Array<Constant> = []
  readonly equations: Array<Equation> = []
  /** The first refusal; kept because the body may have caught it. */
  refused: UnsupportedOp | ValueDuringCapture | null = null
  private readonly values = new WeakMap<DataId, Value>()
  private readonly alive = new Map<DataId, { info: tf.TensorInfo; references: number }>()
  private count = 0

  constructor(name: string) {
    this.name = name
  }

  get where(): string {
    const path = currentPath()
    return path === "" ? this.name : `${this.name} > ${path}`
  }

  refuse(error: UnsupportedOp | ValueDuringCapture): never {
    this.refused ??= error
    throw error
  }

  value({ dtype, shape }: TensorSpec): Value {
    return { id: this.count++, dtype, shape: [...shape] }
  }

  /** A tensor that stands for a value. */
  tensor(value: Value): tf.TensorInfo {
    const info = { dataId: {}, shape: [...value.shape], dtype: value.dtype }
    this.values.set(info.dataId, value)
    this.alive.set(info.dataId, { info, references: 1 })
    return info
  }

  dtype(dtype: string, op: string): DType {
    const known = dtypeOf(dtype)
    if (known !== null) return known
    return this.refuse(
      new UnsupportedOp({
        where: this.where,
        expected: "tensors of float32, int32 or bool",
        received: `${op} of ${dtype}`,
        fix: "do this outside of the tensor function, on plain data",
      }),
    )
  }

  constant(tensor: HostTensor): Value {
    const value = this.value(tensor)
    this.constants.push({ value, tensor })
    return value
  }

  equation(op: string, inputs: ReadonlyArray<Value>, attrs: Attrs, outputs: ReadonlyArray<TensorSpec>): Array<Value> {
    const made = outputs.map((spec) => this.value(spec))
    this.equations.push({ op, inputs, attrs, outputs: made, path: currentPath() })
    return made
  }

  /** The value of a tensor; one that was made before the capture, on any backend, is a constant. */
  valueOf(info: tf.TensorInfo): Value {
    const known = this.values.get(info.dataId)
    // Tensors from outside may share data under several shapes.
    if (known !== undefined && String(known.shape) === String(info.shape)) return known
    const dtype = this.dtype(info.dtype, "a tensor from outside")
    const data = tf.engine().readSync(info.dataId)
    const value = this.constant({ dtype, shape: [...info.shape], data: copyOf(data, dtype) })
    this.values.set(info.dataId, value)
    return value
  }

  /** Values that are all alike, such as the ones of a gradient's start, are recorded as `Fill`: they may be large. */
  write(data: tf.BackendValues, shape: ReadonlyArray<number>, dtype: DType): tf.TensorInfo {
    const values = copyOf(data, dtype)
    const first = values[0]
    if (values.length > 1 && first !== undefined && values.every((v: number) => Object.is(v, first))) {
      const spec = { dtype, shape: [...shape] }
      return this.tensor(this.equation("Fill", [], { shape: spec.shape, value: first, dtype }, [spec])[0]!)
    }
    return this.tensor(this.constant({ dtype, shape: [...shape], data: values }))
  }

  get size(): number {
    return this.alive.size
  }

  references(dataId: DataId, change = 0): number {
    const entry = this.alive.get(dataId)
    if (entry === undefined) return 0
    entry.references += change
    if (entry.references <= 0) this.alive.delete(dataId)
    return Math.max(entry.references, 0)
  }

  forget(dataId: DataId): void {
    this.alive.delete(dataId)
  }

  /** Gives back what is still alive: tensors that the body kept, or that a failed gradient had saved. */
  close(): void {
    const engine = tf.engine()
    for (const { info, references } of [...this.alive.values()]) {
      for (let i = 0; i < references; i++) {
        engine.disposeTensor(new tf.Tensor(info.shape, info.dtype, info.dataId, -1))
      }
    }
  }
}

const copyOf = (data: tf.BackendValues, dtype: DType): HostTensor["data"] => {
  const numbers = data as ArrayLike<number>
  return dtype === "float32"
    ? Float32Array.from(numbers)
    : dtype === "int32"
      ? Int32Array.from(numbers)
      : Uint8Array.from(numbers)
}

let recording: Recording | null = null

/** The capture that is under way. */
export const activeRecording = (): Recording | null => recording

/** Runs `fn` with a recording in place. The caller makes the capture backend the active one. */
export const recordWith = <A>(next: Recording, fn: () => A): A => {
  recording = next
  try {
    return fn()
  } finally {
    try {
      next.close()
    } finally {
      recording = null
    }
  }
}

const active = (): Recording => {
  if (recording === null) throw new Error(`internal: the tfjs backend ${captureBackend} is for capture alone`)
  return recording
}

/** The error of a value that is not there yet. */
export const valueError = (where: string, received: string, fix: string): ValueDuringCapture =>
  new ValueDuringCapture({ where, expected: "tensor code that does not look at values", received, fix })

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
    return recording?.size ?? 0
  }
  override refCount(dataId: DataId): number {
    return recording?.references(dataId) ?? 0
  }
  override incRef(dataId: DataId): void {
    recording?.references(dataId, 1)
  }
  override disposeData(dataId: DataId, force = false): boolean {
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

const operands = (kernel: Kernel, op: string, inputs: KernelCall["inputs"]): Array<tf.TensorInfo> => {
  const given = Object.entries(inputs).filter(
    (entry): entry is [string, tf.TensorInfo] => entry[1] !== undefined && entry[1] !== null,
  )
  if (kernel.inputs === "list") return given.map(([, info]) => info)
  const names = kernel.inputs.map((name) => name.replace("?", ""))
  const strange = given.find(([name]) => !names.includes(name))
  if (strange !== undefined) {
    active().refuse(
      new UnsupportedOp({
        where: active().where,
        expected: `${op} of ${names.join(", ")}`,
        received: `${op} with ${strange[0]}`,
        fix: "write it with plain operations",
      }),
    )
  }
  const found = names.map((name) => given.find(([key]) => key === name)?.[1])
  return found.filter((info) => info !== undefined)
}

const plain = (attrs: KernelCall["attrs"]): Attrs =>
  Object.fromEntries(
    Object.entries(attrs ?? {}).filter((entry): entry is [string, Attr] => entry[1] !== undefined && entry[1] !== null),
  )

const recorder =
  (op: string, kernel: Kernel): tf.KernelFunc =>
  ({ inputs, attrs }) => {
    const into = active()
    const values = operands(kernel, op, inputs).map((info) => into.valueOf(info))
    // What a clone stands for is its source: no equation.
    if (op === "Identity") return into.tensor(values[0]!)
    const given = plain(attrs)
    if (given.dtype !== undefined) into.dtype(String(given.dtype), op)
    const settled = kernel.normal ? kernel.normal(given, values) : given
    const made = into.equation(op, values, settled, kernel.infer(values, settled)).map((value) => into.tensor(value))
    return made.length === 1 && op !== "SplitV" && op !== "Unpack" ? made[0]! : made
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
for (const kernelName of everyName) {
  const kernel = kernels.get(kernelName)
  tf.registerKernel({
    kernelName,
    backendName: captureBackend,
    kernelFunc: kernel === undefined ? refuser(kernelName) : recorder(kernelName, kernel),
  })
}
