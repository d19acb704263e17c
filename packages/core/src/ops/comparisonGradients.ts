/**
 * Gradients of comparisons: zero. tfjs has one of greaterEqual alone and fails where a condition is made from what a
 * gradient is taken of, such as where(x < y, x, y).
 */
import * as tf from "@tensorflow/tfjs-core"

const operands: Readonly<Record<string, ReadonlyArray<string>>> = {
  Less: ["a", "b"],
  LessEqual: ["a", "b"],
  Greater: ["a", "b"],
  Equal: ["a", "b"],
  NotEqual: ["a", "b"],
  LogicalAnd: ["a", "b"],
  LogicalOr: ["a", "b"],
  LogicalNot: ["x"],
}

/** Adds the gradients to tfjs. */
export const registerComparisonGradients = (): void => {
  for (const [kernelName, names] of Object.entries(operands)) {
    tf.registerGradient({
      kernelName,
      inputsToSave: [...names],
      gradFunc: (_, saved) => Object.fromEntries(names.map((name, i) => [name, () => tf.zeros(saved[i]!.shape)])),
    })
  }
}
