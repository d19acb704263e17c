/**
 * A repair of tfjs 4.22 on cpu and wasm: BatchMatMul takes the batches of its smaller operand in turn, as if they were the last
 * axes alone. Batches [2, 1] and [2] give values for half of the result, [2, 1] and [2, 3] the wrong ones. Where that would
 * happen, both operands are written out for every batch of the result.
 */
import * as tf from "@tensorflow/tfjs-core"

type Shape = ReadonlyArray<number>

const sizeOf = (shape: Shape): number => shape.reduce((size, axis) => size * axis, 1)

const without1 = (batch: Shape): Shape => batch.slice(batch.findIndex((axis) => axis !== 1))

/** Whether the batches of an operand, taken in turn, are those of the result. */
const areInTurn = (batch: Shape, result: Shape): boolean => {
  const own = sizeOf(batch) === 1 ? [] : without1(batch)
  return own.every((axis, i) => axis === result[result.length - own.length + i])
}

/** For each batch of the result, the batch of an operand. */
const sourcesOf = (batch: Shape, result: Shape): ReadonlyArray<number> => {
  const own = [...result.slice(batch.length).map(() => 1), ...batch]
  return Array.from({ length: sizeOf(result) }, (_, at) => {
    let [source, stride, rest] = [0, 1, at]
    for (let axis = result.length - 1; axis >= 0; axis--) {
      source += (own[axis] === 1 ? 0 : rest % result[axis]!) * stride
      stride *= own[axis]!
      rest = Math.floor(rest / result[axis]!)
    }
    return source
  })
}

/** Whether tfjs is right: it makes as many batches as the larger operand has, and takes those of each in turn. */
const isRight = (a: Shape, b: Shape, result: Shape): boolean =>
  sizeOf(result) === Math.max(sizeOf(a), sizeOf(b)) && areInTurn(a, result) && areInTurn(b, result)

const repaired = new Set<string>()

/** @param name  of a backend that is registered */
export const repairBatchMatMul = (name: string): void => {
  const kernel = tf.getKernel("BatchMatMul", name)
  if (kernel === undefined || repaired.has(name)) return
  repaired.add(name)
  tf.unregisterKernel("BatchMatMul", name)
  tf.registerKernel({
    ...kernel,
    kernelFunc: (given) => {
      const { a, b } = given.inputs as { readonly a: tf.TensorInfo; readonly b: tf.TensorInfo }
      const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
      const result = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB)
      if (isRight(batchA, batchB, result)) return kernel.kernelFunc(given)
      const backend = given.backend as tf.KernelBackend
      const written = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => {
        const matrix = shape.slice(-2)
        const each = sizeOf(matrix)
        const values = backend.readSync(dataId) as Float32Array
        const all = new Float32Array(sizeOf(result) * each)
        for (const [at, source] of sourcesOf(shape.slice(0, -2), result).entries()) {
          all.set(values.subarray(source * each, (source + 1) * each), at * each)
        }
        const whole = [...result, ...matrix]
        return { dataId: backend.write(all, whole, dtype), shape: whole, dtype }
      }
      const inputs = { a: written(a), b: written(b) }
      try {
        return kernel.kernelFunc({ ...given, inputs })
      } finally {
        for (const { dataId } of Object.values(inputs)) backend.disposeData(dataId)
      }
    },
  })
}
