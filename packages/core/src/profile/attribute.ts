/** What the engine's kernels took, by the equations that they were written for. */
import type { EngineProfile } from "../engine.js"
import { productOps } from "../onnx/productOps.js"
import { originOf } from "./origin.js"

export interface Attributed {
  /** The place of the equation of each of the engine's kernels; null where nothing tells. */
  readonly places: ReadonlyArray<number | null>
  /** Milliseconds and number of kernels, of each equation. */
  readonly equations: ReadonlyArray<{ readonly milliseconds: number; readonly kernels: number }>
  /** The same of the kernels that are of no equation. */
  readonly rest: { readonly milliseconds: number; readonly kernels: number }
  /** Milliseconds in products, without what was done to lay their factors out. */
  readonly products: number
}

/**
 * @param durations  milliseconds of each of the engine's kernels
 * @param flops      of each equation
 */
export const attribute = (
  { kernels, origins }: Pick<EngineProfile, "kernels" | "origins">,
  durations: ReadonlyArray<number>,
  flops: ReadonlyArray<number>,
): Attributed => {
  const places = kernels.map(({ name }) => originOf(name, origins))
  const equations = flops.map(() => ({ milliseconds: 0, kernels: 0 }))
  const rest = { milliseconds: 0, kernels: 0 }
  let products = 0
  places.forEach((place, i) => {
    const row = place === null ? rest : equations[place]!
    row.milliseconds += durations[i]!
    row.kernels++
    if (place !== null && flops[place]! > 0 && productOps.test(kernels[i]!.op)) products += durations[i]!
  })
  return { places, equations, rest, products }
}
