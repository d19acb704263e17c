/** From the kernels that an engine ran back to the equations that they were written for. */

/** Names that ONNX Runtime's own passes make up: nothing says for which node the kernel is. */
const madeUp = /_token_\d+$/

/**
 * The place of the equation that a kernel was written for; null where nothing tells. A fused kernel is called as one of
 * those that it was made from, with more behind it: `policy/norm/MatMul.1/MatMulScaleFusion/`.
 */
export const originOf = (kernel: string, origins: ReadonlyMap<string, number>): number | null => {
  if (madeUp.test(kernel)) return null
  for (
    let name = kernel;
    name !== "";
    name = name.slice(0, Math.max(name.lastIndexOf("/"), name.lastIndexOf("_"), 0))
  ) {
    const place = origins.get(name)
    if (place !== undefined) return place
  }
  return null
}
