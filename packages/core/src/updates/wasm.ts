/**
 * The part of the WebAssembly binary format that update kernels need: a module with one function over an imported memory.
 * Opcodes and section numbers are those of the core specification, version 2 (with fixed-width SIMD).
 */

/** Instructions as bytes. */
export type Code = ReadonlyArray<number>

/** Unsigned LEB128. */
export const unsigned = (value: number): Code => {
  const bytes: Array<number> = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest === 0 ? low : low + 128)
  } while (rest > 0)
  return bytes
}

/** Signed LEB128 of a non-negative number. */
const signed = (value: number): Code => {
  const bytes = [...unsigned(value)]
  const last = bytes.at(-1)!
  return last < 64 ? bytes : [...bytes.slice(0, -1), last + 128, 0]
}

const valueTypes = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const
export type ValueType = keyof typeof valueTypes

const vector = (...opcode: Code): Code => [0xfd, ...opcode]

/** `offset` is a constant added to the address, in bytes. */
const memory = (opcode: number, offset: number): Code => vector(opcode, 4, ...unsigned(offset))

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number): Code => [0x21, ...unsigned(local)]
export const int = (value: number): Code => [0x41, ...signed(value)]
export const float = (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)]
export const addInt: Code = [0x6a]
export const lessUnsigned: Code = [0x49]
export const splat: Code = vector(0x13)
export const load = (offset: number): Code => memory(0x00, offset)
export const store = (offset: number): Code => memory(0x0b, offset)

/** Operations on four float32 at a time. */
export const lanes = {
  abs: vector(0xe0, 0x01),
  neg: vector(0xe1, 0x01),
  sqrt: vector(0xe3, 0x01),
  add: vector(0xe4, 0x01),
  sub: vector(0xe5, 0x01),
  mul: vector(0xe6, 0x01),
  div: vector(0xe7, 0x01),
  min: vector(0xe8, 0x01),
  max: vector(0xe9, 0x01),
} as const

/** Runs `body` again for as long as it leaves a number other than 0. */
export const repeatWhile = (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0x00, 0x0b]

const list = (items: ReadonlyArray<Code>): Code => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes]
const section = (id: number, bytes: Code): Code => [id, ...sized(bytes)]
const text = (value: string): Code => sized([...new TextEncoder().encode(value)])

/**
 * A module that imports the memory `state.memory` and exports the function `run`, which returns nothing.
 * @param locals  the function's variables after its parameters
 */
export const encodeModule = (
  parameters: ReadonlyArray<ValueType>,
  locals: ReadonlyArray<ValueType>,
  body: Code,
): Uint8Array => {
  const typeOf = (type: ValueType): Code => [valueTypes[type]]
  const declared = locals.map((type): Code => [1, valueTypes[type]])
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list([[0x60, ...list(parameters.map(typeOf)), ...list([])]])),
    ...section(2, list([[...text("state"), ...text("memory"), 0x02, 0x00, 0x00]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text("run"), 0x00, 0x00]])),
    ...section(10, list([sized([...list(declared), ...body, 0x0b])])),
  ])
}
