/** State of the eager engines: tfjs tensors that are replaced all together or not at all. */
import type * as tf from "@tensorflow/tfjs-core"

/** The tensors of one state, by name. */
export type Cells = Map<string, tf.Tensor>

export interface Transaction {
  /** The newest value: one that this transaction has put, else the one in place. */
  readonly get: (cells: Cells, name: string) => tf.Tensor
  /** Takes over a kept tensor. */
  readonly put: (cells: Cells, name: string, tensor: tf.Tensor) => void
}

/** Runs `work`; what it put replaces what was there when it returns, and is dropped when it throws. */
export const transact = <A>(work: (transaction: Transaction) => A): A => {
  const changes = new Map<Cells, Cells>()
  const transaction: Transaction = {
    get: (cells, name) => (changes.get(cells)?.get(name) ?? cells.get(name))!,
    put: (cells, name, tensor) => {
      const changed = changes.get(cells) ?? new Map<string, tf.Tensor>()
      changes.set(cells, changed)
      changed.get(name)?.dispose()
      changed.set(name, tensor)
    },
  }
  let done = false
  try {
    const result = work(transaction)
    done = true
    return result
  } finally {
    for (const [cells, changed] of changes) {
      for (const [name, tensor] of changed) {
        if (!done) tensor.dispose()
        else {
          cells.get(name)?.dispose()
          cells.set(name, tensor)
        }
      }
    }
  }
}
