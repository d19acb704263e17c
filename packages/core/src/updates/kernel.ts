/**
 * Elementwise expressions as WebAssembly: one pass over memory for a whole optimiser, where a program of kernels makes a
 * pass for each operation.
 */
import {
  addInt,
  type Code,
  encodeModule,
  float,
  get,
  int,
  lanes,
  lessUnsigned,
  load,
  repeatWhile,
  set,
  splat,
  store,
} from "./wasm.js"

/** What an operation reads: a tensor's element, a scalar of the call, a constant, or an earlier operation's result. */
export type Operand =
  | { readonly tensor: number }
  | { readonly scalar: number }
  | { readonly constant: number }
  | { readonly result: number }

/** One elementwise operation; `op` is a tfjs kernel's name. */
export interface Operation {
  readonly op: string
  readonly operands: ReadonlyArray<Operand>
}

/** Operations in order, and which tensors they overwrite. Every element is read before it is written. */
export interface Expression {
  /** Number of tensors, all of one size, and of scalars. */
  readonly tensors: number
  readonly scalars: number
  readonly operations: ReadonlyArray<Operation>
  readonly stores: ReadonlyArray<{ readonly tensor: number; readonly value: Operand }>
}

const one: Code = [...float(1), ...splat]

/** How each operation is written, given the code that puts its operands on the stack. */
const emitters: Readonly<Record<string, (...operands: ReadonlyArray<Code>) => Code>> = {
  Add: (a, b) => [...a!, ...b!, ...lanes.add],
  Sub: (a, b) => [...a!, ...b!, ...lanes.sub],
  Multiply: (a, b) => [...a!, ...b!, ...lanes.mul],
  RealDiv: (a, b) => [...a!, ...b!, ...lanes.div],
  Maximum: (a, b) => [...a!, ...b!, ...lanes.max],
  Minimum: (a, b) => [...a!, ...b!, ...lanes.min],
  Square: (x) => [...x!, ...x!, ...lanes.mul],
  Sqrt: (x) => [...x!, ...lanes.sqrt],
  Rsqrt: (x) => [...one, ...x!, ...lanes.sqrt, ...lanes.div],
  Reciprocal: (x) => [...one, ...x!, ...lanes.div],
  Neg: (x) => [...x!, ...lanes.neg],
  Abs: (x) => [...x!, ...lanes.abs],
}

/** True for the kernels that an update may consist of. */
export const isUpdateOperation = (op: string): boolean => Object.hasOwn(emitters, op)

/** Vectors a turn of the loop: a turn is a cache line, and tensors are padded to whole turns. */
const vectors = 4
/** Bytes of one turn of the loop. */
export const turnBytes = 16 * vectors

/**
 * The module of an expression. Its function takes the tensors' size in bytes (a multiple of `turnBytes`, above 0), the
 * address of each tensor, and the scalars.
 */
export const compileUpdate = ({ tensors, scalars, operations, stores }: Expression): Uint8Array => {
  const parameters = 1 + tensors + scalars
  const offset = parameters
  const splats = offset + 1
  const loaded = splats + scalars
  const results = loaded + tensors
  const read = (operand: Operand): Code => {
    if ("tensor" in operand) return get(loaded + operand.tensor)
    if ("scalar" in operand) return get(splats + operand.scalar)
    if ("result" in operand) return get(results + operand.result)
    return [...float(operand.constant), ...splat]
  }
  const address = (tensor: number): Code => [...get(1 + tensor), ...get(offset), ...addInt]
  const each = <A>(items: ReadonlyArray<A>, code: (item: A, i: number) => Code): Code => items.flatMap(code)
  const indices = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

  const vector = (at: number): Code => [
    ...each(indices(tensors), (i) => [...address(i), ...load(at), ...set(loaded + i)]),
    ...each(operations, ({ op, operands }, i) => [...emitters[op]!(...operands.map(read)), ...set(results + i)]),
    ...each(stores, ({ tensor, value }) => [...address(tensor), ...read(value), ...store(at)]),
  ]
  const body: Code = [
    ...each(indices(scalars), (i) => [...get(1 + tensors + i), ...splat, ...set(splats + i)]),
    ...repeatWhile([
      ...each(indices(vectors), (i) => vector(16 * i)),
      ...[...get(offset), ...int(turnBytes), ...addInt, ...set(offset)],
      ...[...get(offset), ...get(0), ...lessUnsigned],
    ]),
  ]
  return encodeModule(
    ["i32", ...indices(tensors).map(() => "i32" as const), ...indices(scalars).map(() => "f32" as const)],
    ["i32", ...indices(scalars + tensors + operations.length).map(() => "v128" as const)],
    body,
  )
}
