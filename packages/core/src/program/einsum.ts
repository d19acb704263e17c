/** Einstein summation as transposes, sums and one matrix product. */
import * as tf from "@tensorflow/tfjs-core"

type Labels = ReadonlyArray<string>

const sumOut = (x: tf.Tensor, labels: Labels, keep: (label: string) => boolean): readonly [tf.Tensor, Labels] => {
  const gone = labels.flatMap((label, axis) => (keep(label) ? [] : [axis]))
  return gone.length === 0 ? [x, labels] : [tf.sum(x, gone), labels.filter(keep)]
}

const arranged = (x: tf.Tensor, from: Labels, to: Labels): tf.Tensor => {
  const perm = to.map((label) => from.indexOf(label))
  return perm.every((p, i) => p === i) ? x : tf.transpose(x, perm)
}

const sizes = (x: tf.Tensor, labels: Labels, of: Labels): Array<number> =>
  of.map((label) => x.shape[labels.indexOf(label)]!)

const product = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)

/**
 * @param equation  such as `bhte,bhse->bhts`; one or two operands, each label once an operand
 */
export const einsum = (equation: string, operands: ReadonlyArray<tf.Tensor>): tf.Tensor => {
  const [left, out] = equation.replaceAll(" ", "").split("->")
  const terms = left!.split(",").map((term) => [...term])
  if (out === undefined || terms.length > 2 || terms.some((term) => new Set(term).size < term.length)) {
    throw new Error(`einsum of ${equation}: one or two operands with an arrow, each label once an operand`)
  }
  const result = [...out]
  if (terms.length === 1) {
    const [x, labels] = sumOut(operands[0]!, terms[0]!, (label) => result.includes(label))
    return arranged(x, labels, result)
  }
  const [a, aLabels] = sumOut(operands[0]!, terms[0]!, (l) => result.includes(l) || terms[1]!.includes(l))
  const [b, bLabels] = sumOut(operands[1]!, terms[1]!, (l) => result.includes(l) || terms[0]!.includes(l))
  const shared = aLabels.filter((label) => bLabels.includes(label))
  const batch = shared.filter((label) => result.includes(label))
  const inner = shared.filter((label) => !result.includes(label))
  const alone = (labels: Labels): Labels => labels.filter((label) => !shared.includes(label))
  const [rows, columns] = [alone(aLabels), alone(bLabels)]
  const lead = sizes(a, aLabels, batch)
  const [high, deep, wide] = [sizes(a, aLabels, rows), sizes(a, aLabels, inner), sizes(b, bLabels, columns)]
  const first = tf.reshape(arranged(a, aLabels, [...batch, ...rows, ...inner]), [
    product(lead),
    product(high),
    product(deep),
  ])
  const second = tf.reshape(arranged(b, bLabels, [...batch, ...inner, ...columns]), [
    product(lead),
    product(deep),
    product(wide),
  ])
  const made = tf.reshape(tf.matMul(first, second), [...lead, ...high, ...wide])
  return arranged(made, [...batch, ...rows, ...columns], result)
}
