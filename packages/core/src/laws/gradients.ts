/** Laws of gradients. */
import fc from "fast-check"
import { expectClose, expectThat } from "./close.js"
import { law } from "./law.js"
import { mapPlaces, portAt } from "./slices.js"
import { type Slopes, slopesOf, valueAt } from "./slopes.js"
import { continuousInputs, examplesOf, type SubjectLaw } from "./subject.js"

/** The gradient by an input sums to 0, in each slice along an axis: what shift invariance means for a gradient. */
export const gradientSumsToZero =
  (input: string, axis?: string): SubjectLaw =>
  (subject) => {
    const port = portAt(subject.name, subject.in, input, axis)
    const name = `the gradient by ${input} sums to 0${axis === undefined ? "" : ` along ${axis}`}`
    return law(name, examplesOf(subject), (example) => {
      const sums: Array<number> = []
      const slopes = slopesOf(subject, example)[input]!
      mapPlaces([...slopes], port, { ...subject.sizes, ...example.sizes }, axis, (x, { slice }) => {
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

/** A direction: each variable goes up or down as chance has it, many of them less than few. */
const directionOf = (slopes: Slopes, turn: number): Slopes => {
  const count = Object.values(slopes).reduce((n, numbers) => n + numbers.length, 0)
  // A power of 2, so that a step from a number that float32 holds leads to one.
  const size = 2 ** Math.min(0, Math.floor(Math.log2(6 / Math.sqrt(count))))
  return Object.fromEntries(
    Object.entries(slopes).map(([name, numbers], n) => {
      const sign = (i: number): number =>
        Math.imul(Math.imul(i + 31 * n + turn + 1, 0x9e3779b1), 0x85ebca6b) < 0 ? -1 : 1
      return [name, numbers.map((_, i) => size * sign(i))]
    }),
  )
}

const dot = (a: Slopes, b: Slopes): number => {
  let sum = 0
  for (const [name, x] of Object.entries(a)) for (let i = 0; i < x.length; i++) sum += x[i]! * b[name]![i]!
  return sum
}

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
        const direction = directionOf(slopes, turn)
        const at = (size: number): number => valueAt(subject, example, direction, size)
        const [far, near, here, before, behind] = [at(step), at(step / 2), at(0), at(-step / 2), at(-step)]
        fc.pre([far, near, here, before, behind].every(Number.isFinite))
        // Great inputs round what is computed on the way, even where little comes out.
        const given = continuousInputs(subject).flatMap((name) => example.inputs[name]!)
        const most = [far, near, here, before, behind, ...given].reduce((top, x) => Math.max(top, Math.abs(x)), 1)
        const noise = (4e-6 * most) / step
        const [rough, fine] = [(far - behind) / (2 * step), (near - before) / step]
        // The difference of the slopes on both sides halves with the step where the function is smooth.
        const [wide, narrow] = [(far - 2 * here + behind) / step, (near - 2 * here + before) / (step / 2)]
        const scale = Math.max(1, Math.abs(fine))
        fc.pre(Math.abs(rough - fine) <= 0.1 * scale + noise)
        const lax = 1e-3 * scale + 2 * Math.abs(rough - fine) + noise
        fc.pre(Math.abs(2 * narrow - wide) <= lax)
        const found = dot(slopes, direction)
        if (Math.abs(found - fine) <= lax) return
        // A bend and a kink can make up for each other at two steps, but not at a third.
        const finest = (at(step / 4) - at(-step / 4)) / (step / 2)
        const laxer = lax + 2 * Math.abs(fine - finest) + noise
        expectThat(
          Math.abs(found - finest) <= laxer,
          () => `the gradient gives ${found}, the differences ${finest} ± ${laxer}`,
        )
      },
    )
