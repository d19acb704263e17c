/**
 * The part of the ONNX file format that we write, as protocol-buffer bytes.
 * Field numbers are those of onnx.proto (ONNX IR version 10).
 */
import type { HostTensor } from "../tensor.js"

/** `TensorProto.DataType`, for the element types that we write. */
export const elementType = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 } as const
export type ElementType = keyof typeof elementType

/** A tensor as an ONNX file holds it: raw little-endian bytes. */
export interface TensorProto {
  readonly name: string
  readonly dtype: ElementType
  readonly shape: ReadonlyArray<number>
  readonly bytes: Uint8Array
}

/** A tensor whose raw bytes are outside of the file: the first `length` bytes of what is at `location`. */
export interface ExternalTensorProto extends Omit<TensorProto, "bytes"> {
  readonly location: string
  readonly length: number
}

/** Attribute values: a number is an int, `{ float }` a float. */
export type AttributeValue =
  | number
  | string
  | ReadonlyArray<number>
  | { readonly float: number }
  | { readonly tensor: TensorProto }

export interface NodeProto {
  readonly name: string
  readonly op: string
  /** The operator set; "" is ai.onnx. */
  readonly domain: string
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly attributes: Readonly<Record<string, AttributeValue>>
}

export interface ValueInfoProto {
  readonly name: string
  readonly dtype: ElementType
  readonly shape: ReadonlyArray<number>
}

export interface ModelProto {
  readonly name: string
  readonly producer: string
  readonly opsets: Readonly<Record<string, number>>
  readonly nodes: ReadonlyArray<NodeProto>
  readonly initializers: ReadonlyArray<TensorProto>
  readonly inputs: ReadonlyArray<ValueInfoProto>
  readonly outputs: ReadonlyArray<ValueInfoProto>
  /** The name of an output in front of all others that is a sequence of float32 tensors. */
  readonly sequenceOutput?: string
}

/** The raw bytes of a host tensor. Typed arrays are little-endian wherever onnxruntime runs. */
export const tensorProto = (name: string, { dtype, shape, data }: HostTensor): TensorProto => ({
  name,
  dtype,
  shape,
  bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
})

/** A protocol-buffer message under construction: chunks, so that large tensors are copied once. */
type Chunks = Array<Uint8Array>

const small = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value))

/** Seven bits a byte, the lowest first; negative numbers as 64-bit two's complement. */
const varint = (value: number): Uint8Array => {
  if (value >= 0 && value < 128) return small[value]!
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: Array<number> = []
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return Uint8Array.from(bytes)
}

const lengthOf = (chunks: Chunks): number => chunks.reduce((n, chunk) => n + chunk.length, 0)

const int = (field: number, value: number): Chunks => [varint(field << 3), varint(value)]
const float = (field: number, value: number): Chunks => [
  varint((field << 3) | 5),
  new Uint8Array(Float32Array.of(value).buffer),
]
const message = (field: number, chunks: Chunks): Chunks => [
  varint((field << 3) | 2),
  varint(lengthOf(chunks)),
  ...chunks,
]
const encoder = new TextEncoder()
const text = (field: number, value: string): Chunks => message(field, [encoder.encode(value)])
const ints = (field: number, values: ReadonlyArray<number>): Chunks => values.flatMap((value) => int(field, value))

const pair = (field: number, key: string, value: string): Chunks => message(field, [...text(1, key), ...text(2, value)])

const tensor = (item: TensorProto | ExternalTensorProto): Chunks => [
  ...ints(1, item.shape),
  ...int(2, elementType[item.dtype]),
  ...text(8, item.name),
  ...("bytes" in item
    ? message(9, [item.bytes])
    : [...pair(13, "location", item.location), ...pair(13, "length", String(item.length)), ...int(14, 1)]),
]

const attribute = (name: string, value: AttributeValue): Chunks => {
  const body = (): Chunks => {
    if (typeof value === "number") return [...int(3, value), ...int(20, 2)]
    if (typeof value === "string") return [...text(4, value), ...int(20, 3)]
    if ("float" in value) return [...float(2, value.float), ...int(20, 1)]
    if ("tensor" in value) return [...message(5, tensor(value.tensor)), ...int(20, 4)]
    return [...ints(8, value), ...int(20, 7)]
  }
  return [...text(1, name), ...body()]
}

const node = ({ name, op, domain, inputs, outputs, attributes }: NodeProto): Chunks => [
  ...inputs.flatMap((input) => text(1, input)),
  ...outputs.flatMap((output) => text(2, output)),
  ...text(3, name),
  ...text(4, op),
  ...Object.entries(attributes).flatMap(([key, value]) => message(5, attribute(key, value))),
  ...(domain === "" ? [] : text(7, domain)),
]

const valueInfo = ({ name, dtype, shape }: ValueInfoProto): Chunks => {
  const dimensions = shape.flatMap((size) => message(1, int(1, size)))
  const tensorType = [...int(1, elementType[dtype]), ...message(2, dimensions)]
  return [...text(1, name), ...message(2, message(1, tensorType))]
}

const sequenceInfo = (name: string): Chunks => {
  const elements = message(1, int(1, elementType.float32))
  return [...text(1, name), ...message(2, message(4, message(1, elements)))]
}

/** The bytes of an `.onnx` file. */
export const encodeModel = (model: ModelProto): Uint8Array => {
  const graph: Chunks = []
  for (const item of model.nodes) graph.push(...message(1, node(item)))
  graph.push(...text(2, model.name))
  for (const item of model.initializers) graph.push(...message(5, tensor(item)))
  for (const item of model.inputs) graph.push(...message(11, valueInfo(item)))
  if (model.sequenceOutput !== undefined) graph.push(...message(12, sequenceInfo(model.sequenceOutput)))
  for (const item of model.outputs) graph.push(...message(12, valueInfo(item)))
  const chunks: Chunks = [
    ...int(1, 10),
    ...text(2, model.producer),
    ...message(7, graph),
    ...Object.entries(model.opsets).flatMap(([domain, version]) =>
      message(8, [...text(1, domain), ...int(2, version)]),
    ),
  ]
  return join(chunks)
}

/** The model with `metadata_props` added: a field of a message may be appended to its bytes. */
export const withMetadata = (model: Uint8Array, metadata: Readonly<Record<string, string>>): Uint8Array =>
  join([model, ...Object.entries(metadata).flatMap(([key, value]) => pair(14, key, value))])

/** The model with more initializers: a message that comes twice in a file is one message with the fields of both. */
export const withInitializers = (
  model: Uint8Array,
  initializers: ReadonlyArray<TensorProto | ExternalTensorProto>,
): Uint8Array =>
  join([
    model,
    ...message(
      7,
      initializers.flatMap((item) => message(5, tensor(item))),
    ),
  ])

const join = (chunks: Chunks): Uint8Array => {
  const bytes = new Uint8Array(lengthOf(chunks))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
