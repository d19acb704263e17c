/** Rows that are drawn step by step, in batches of the size that a sampler was compiled for. */
import { type DType, emptyData, type HostTensor, type HostTensors, type Key, random } from "@millrace/core"
import { Effect, Record } from "effect"
import { rowBatches } from "../diffusion/rows.js"

export interface DrawnRows {
  readonly count: number
  /** Rows that are drawn at once. */
  readonly batch: number
  /** Steps of a row. */
  readonly length: number
}

/**
 * Step j of row i is drawn with uniform number i · length + j of the key: it depends on the key, the row's place and the
 * step, not on the size of the batches.
 * @param outputs  what `each` gives that is kept
 * @param each     draws the rows of one batch, of which a last one that is not full repeats its last row, with uniform numbers
 *                 float32 length·batch; what it gives is  length batch
 * @returns        each output as  count length
 */
export const drawRows = <Name extends string, E, R>(
  { count, batch, length }: DrawnRows,
  key: Key,
  outputs: { readonly [name in Name]: DType },
  each: (rows: ReadonlyArray<number>, uniform: Float32Array) => Effect.Effect<HostTensors, E, R>,
): Effect.Effect<{ readonly [name in Name]: HostTensor }, E, R> =>
  Effect.gen(function* () {
    const numbers = random.uniform(key, [count, length]).data
    const kept = Record.map(
      outputs,
      (dtype): HostTensor => ({ dtype, shape: [count, length], data: emptyData(dtype, count * length) }),
    )
    for (const rows of rowBatches(count, batch)) {
      const uniform = new Float32Array(length * batch)
      for (const [i, row] of rows.entries()) {
        for (let j = 0; j < length; j++) uniform[j * batch + i] = numbers[row * length + j]!
      }
      const made = yield* each(rows, uniform)
      for (const [name, tensor] of Object.entries<HostTensor>(kept)) {
        const { data } = made[name]!
        // The last row's first place is its own; those that repeat it come after.
        for (let i = 0; i < batch && (i === 0 || rows[i] !== rows[i - 1]); i++) {
          for (let j = 0; j < length; j++) tensor.data[rows[i]! * length + j] = data[j * batch + i]!
        }
      }
    }
    return kept
  })
