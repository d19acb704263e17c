/** Laws of gradients. */
import fc from "fast-check"
import { expectClose, expectThat } from "./close.js"
import { law } from "./law.js"
import { mapPlaces, portAt } from "./slices.js"
import { type Slopes, slopesOf, valueAt } from "./slopes.js"
import { examplesOf, type SubjectLaw } from "./subject.js"

/** The gradient by an input sums to 0, in each slice along an axis: what shift invariance means for a gradient. */
export const gradientSumsToZero =
  (input: string, axis?: string): SubjectLaw =>
  (subject) => {
    const port = portAt(subject.name, subject.in, input, axis)
    const name = `the gradient by ${input} sums to 0${axis === undefined ? "" : ` along ${axis}`}`
    return law(name, examplesOf(subject), (example) => {
      const sums: Array<number> = []
      const slopes = slopesOf(subject, example)[input]!
      mapPlaces(slopes, port, { ...subject.sizes, ...example.sizes }, axis, (x, { slice }) => {
        sums[slice] = (sums[slice] ?? 0) + x
        return x
      })
      const scale = slopes.reduce((top, x) => Math.max(top, Math.abs(x)), 1)
      expectClose(
        sums,
        sums.map(() => 0),
        { absolute: 1e-5 * scale },
      )
    })
  }

/** Steps in one direction: each variable moves up or down, as a sign that its place decides; many of them less. */
const direction = (slopes: Slopes, turn: number, size: number): Slopes => {
  const count = Object.values(slopes).reduce((n, numbers) => n + numbers.length, 0)
  const each = size * Math.min(1, 6 / Math.sqrt(count))
  return Object.fromEntries(
    Object.entries(slopes).map(([name, numbers], n) => [
      name,
      numbers.map((_, i) => (Math.cos(1.7 * i * i + n + turn) >= 0 ? each : -each)),
    ]),
  )
}

const dot = (a: Slopes, b: Slopes): number =>
  Object.entries(a).reduce((sum, [name, x]) => sum + x.reduce((s, v, i) => s + v * b[name]![i]!, 0), 0)

/**
 * The gradient by all inputs and parameters together is the slope of the results along a direction, by central differences.
 *
 * Differences are taken in float32 at a step and at half of it: the law is as lax as they disagree. It says nothing of an
 * example at which they disagree much, nor of a kink: where the slopes on both sides do not come nearer to each other with
 * the step.
 */
export const gradientMatchesFiniteDifferences =
  ({ step = 1 / 32 }: { readonly step?: number } = {}): SubjectLaw =>
  (subject) =>
    law(
      "gradients are the slopes of central differences",
      fc.tuple(examplesOf(subject), fc.nat(99)),
      ([example, turn]) => {
        const slopes = slopesOf(subject, example)
        const unit = direction(slopes, turn, 1)
        const at = (size: number): number => valueAt(subject, example, direction(slopes, turn, size))
        const [far, near, here, before, behind] = [at(step), at(step / 2), at(0), at(-step / 2), at(-step)]
        fc.pre([far, near, here, before, behind].every(Number.isFinite))
        const most = [far, near, here, before, behind].reduce((top, x) => Math.max(top, Math.abs(x)), 1)
        const noise = (4e-6 * most) / step
        const [rough, fine] = [(far - behind) / (2 * step), (near - before) / step]
        // The difference of the slopes on both sides halves with the step where the function is smooth.
        const [wide, narrow] = [(far - 2 * here + behind) / step, (near - 2 * here + before) / (step / 2)]
        const lax = 1e-3 * Math.max(1, Math.abs(fine)) + 2 * Math.abs(rough - fine) + noise
        fc.pre(Math.abs(2 * narrow - wide) <= lax + 4 * noise)
        const found = dot(slopes, unit)
        expectThat(Math.abs(found - fine) <= lax, () => `the gradient gives ${found}, the differences ${fine} ± ${lax}`)
      },
    )
