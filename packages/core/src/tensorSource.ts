/** Tensors that are read where they are needed, piece by piece, so that they are never in memory all at once. */
import { Effect } from "effect"
import type { HostTensor, HostTensors, Specs } from "./tensor.js"

/** Named tensors that are somewhere: in memory, in a file (`openSafetensors`). */
export interface TensorSource<E = never> {
  readonly specs: Specs
  /** The elements `begin` to `end` of a tensor, in row-major order. They are to be read before the next piece is. */
  readonly piece: (name: string, begin: number, end: number) => Effect.Effect<HostTensor["data"], E>
}

const isSource = <E>(tensors: HostTensors | TensorSource<E>): tensors is TensorSource<E> =>
  typeof tensors.piece === "function"

/** Tensors in memory as a source; a source is one already. */
export const tensorSource = <E = never>(tensors: HostTensors | TensorSource<E>): TensorSource<E> =>
  isSource(tensors)
    ? tensors
    : {
        specs: Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
        piece: (name, begin, end) => Effect.sync(() => tensors[name]!.data.subarray(begin, end)),
      }

/** The named tensors of a source alone, in this order. */
export const pickTensors = <E>({ specs, piece }: TensorSource<E>, names: ReadonlyArray<string>): TensorSource<E> => ({
  specs: Object.fromEntries(names.map((name) => [name, specs[name]!])),
  piece,
})
