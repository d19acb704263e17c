/** The tensor ops as plain loops over float64, and central differences of any such function: the oracles of the ops. */

export type Values = ReadonlyArray<number>

const rowsOf = (x: Values, width: number): Array<Values> =>
  Array.from({ length: x.length / width }, (_, i) => x.slice(i * width, (i + 1) * width))

const sum = (x: Values): number => x.reduce((a, b) => a + b, 0)

export const layerNorm = (x: Values, gain: Values, bias: Values, epsilon: number): Values =>
  rowsOf(x, gain.length).flatMap((row) => {
    const mean = sum(row) / row.length
    const variance = sum(row.map((v) => (v - mean) ** 2)) / row.length
    return row.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * gain[i]! + bias[i]!)
  })

export const gelu = (x: Values): Values =>
  x.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))))

export const embed = (table: Values, width: number, ids: Values): Values =>
  ids.flatMap((id) => table.slice(id * width, (id + 1) * width))

export const logSoftmax = (x: Values, width: number): Values =>
  rowsOf(x, width).flatMap((row) => {
    const top = Math.max(...row)
    const scale = top + Math.log(sum(row.map((v) => Math.exp(v - top))))
    return row.map((v) => v - scale)
  })

export const softmax = (x: Values, width: number): Values => logSoftmax(x, width).map(Math.exp)

export const crossEntropy = (logits: Values, labels: Values): Values => {
  const width = logits.length / labels.length
  const logp = logSoftmax(logits, width)
  return labels.map((label, i) => -logp[i * width + label]!)
}

export const linear = (x: Values, w: Values, b: Values): Values =>
  rowsOf(x, w.length / b.length).flatMap((row) =>
    b.map((shift, j) => shift + sum(row.map((v, i) => v * w[i * b.length + j]!))),
  )

/** d/dx Σ weights · f(x), by central differences. */
export const gradient = (f: (x: Values) => Values, x: Values, weights: Values, step = 1e-5): Values => {
  const at = (i: number, by: number): number => sum(f(x.with(i, x[i]! + by)).map((v, k) => v * weights[k]!))
  return x.map((_, i) => (at(i, step) - at(i, -step)) / (2 * step))
}
