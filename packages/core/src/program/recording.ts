/** What a capture has recorded so far, and which capture is under way. */
import * as tf from "@tensorflow/tfjs-core"
import { UnsupportedOp, ValueDuringCapture } from "../errors.js"
import type { DType, HostTensor, TensorSpec } from "../tensor.js"
import type { Constant, Equation, Value } from "./ir.js"
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
    if (known !== undefined && sameShape(known.shape, info.shape)) return known
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
    ? new Float32Array(numbers)
    : dtype === "int32"
      ? new Int32Array(numbers)
      : new Uint8Array(numbers)
}

const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

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

/** The capture that is under way, of code that runs in one alone. */
export const active = (): Recording => {
  if (recording === null) throw new Error(`internal: the tfjs backend ${captureBackend} is for capture alone`)
  return recording
}

/** The error of a value that is not there yet. */
export const valueError = (where: string, received: string, fix: string): ValueDuringCapture =>
  new ValueDuringCapture({ where, expected: "tensor code that does not look at values", received, fix })
