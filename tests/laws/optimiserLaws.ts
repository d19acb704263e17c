import type { AdamW } from "@millrace/core"
import fc from "fast-check"
import { expectClose } from "./close.js"
import { real, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** One weight of a matrix after steps with these gradients at a constant rate. */
export type Optimise = (
  config: AdamW & { readonly rate: number },
  weight: number,
  gradients: ReadonlyArray<number>,
) => number

const exact = { beta1: 0.9, beta2: 0.95, epsilon: 1e-20, weightDecay: 0, rate: 0.125 }
const slope = fc.tuple(fc.boolean(), size(64, 4096)).map(([up, n]) => ((up ? 1 : -1) * n) / 1024)
const slopes = fc.array(slope, { minLength: 1, maxLength: 5 })

/** What Adam with decoupled decay obeys. */
export const adamLaws = (optimise: Optimise): ReadonlyArray<Law> => [
  law("the first step is the rate against the gradient's sign", fc.tuple(real(), slope), ([w, g]) => {
    expectClose(optimise(exact, w, [g]), w - 0.125 * Math.sign(g))
  }),
  law(
    "a gradient that stays moves a weight by the rate in every step",
    fc.tuple(real(), slope, size(1, 8)),
    ([w, g, n]) => {
      expectClose(optimise(exact, w, Array<number>(n).fill(g)), w - 0.125 * n * Math.sign(g))
    },
  ),
  law("the scale of the gradients does not matter", fc.tuple(real(), slopes, size(-6, 6)), ([w, g, log]) => {
    const scaled = g.map((x) => x * 2 ** log)
    expectClose(optimise(exact, w, scaled), optimise(exact, w, g))
  }),
  law(
    "decay is decoupled: it takes rate · decay of a weight, whatever the gradient",
    fc.tuple(real(), slope, size(-6, 6)),
    ([w, g, log]) => {
      const [scaled, config] = [[g * 2 ** log], { ...exact, weightDecay: 0.5 }]
      expectClose(optimise(config, w, scaled), optimise(exact, w, scaled) - 0.125 * 0.5 * w)
    },
  ),
  law("ε stands beside the corrected root: a first step is rate · g / (|g| + ε)", fc.tuple(real(), slope), ([w, g]) => {
    const wanted = w - (0.125 * g) / (Math.abs(g) + 0.5)
    expectClose(optimise({ ...exact, epsilon: 0.5 }, w, [g]), wanted)
  }),
  law("β₁ = 0 and β₂ = 0 leave nothing but the last gradient's sign", fc.tuple(real(), slopes), ([w, g]) => {
    const config = { ...exact, beta1: 0, beta2: 0 }
    expectClose(
      optimise(config, w, g),
      g.reduce((x, each) => x - 0.125 * Math.sign(each), w),
    )
  }),
]
