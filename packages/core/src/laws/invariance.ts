/** Laws of what a function does not see: a constant added, a positive factor. */
import fc from "fast-check"
import { expectClose } from "./close.js"
import { grid, real } from "./examples.js"
import { law } from "./law.js"
import { mapPlaces, portAt } from "./slices.js"
import {
  type Example,
  examplesOf,
  expectResults,
  resultsOf,
  type SubjectLaw,
  type TensorSubject,
  withInputs,
} from "./subject.js"

/** An example, and a number for each slice of an input along an axis. */
const withNumbers = (subject: TensorSubject, each: fc.Arbitrary<number>): fc.Arbitrary<[Example, Array<number>]> =>
  fc.tuple(examplesOf(subject), grid([8], each))

const change = (
  subject: TensorSubject,
  example: Example,
  input: string,
  axis: string | undefined,
  by: (x: number, slice: number) => number,
): Example => {
  const sizes = { ...subject.sizes, ...example.sizes }
  const moved = mapPlaces(example.inputs[input]!, subject.in[input]!, sizes, axis, (x, { slice }) => by(x, slice))
  return withInputs(example, { [input]: moved })
}

const along = (axis: string | undefined): string => (axis === undefined ? "" : ` along ${axis}`)

/**
 * A constant added to an input changes no result.
 * @param axis  another constant for each slice along it; without it one for the whole input
 */
export const shiftInvariant =
  (input: string, axis?: string): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, input, axis)
    const name = `adding a constant to ${input}${along(axis)} changes nothing`
    return law(name, withNumbers(subject, fc.integer({ min: -20, max: 20 })), ([example, c]) => {
      const moved = change(subject, example, input, axis, (x, slice) => x + c[slice % c.length]!)
      // Where a number is great, float32 keeps little of what is added to it.
      const most = example.inputs[input]!.reduce((top, x) => Math.max(top, Math.abs(x)), 0)
      expectResults(resultsOf(subject, moved), resultsOf(subject, example), { absolute: 1e-5 + 2 ** -22 * most })
    })
  }

const factor = real(1).map((x) => 2 ** (3 * x))

/** A positive factor on an input, one for each slice along an axis, changes no result. */
export const scaleInvariant =
  (input: string, axis?: string): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, input, axis)
    const name = `a positive factor on ${input}${along(axis)} changes nothing`
    return law(name, withNumbers(subject, factor), ([example, c]) => {
      const scaled = change(subject, example, input, axis, (x, slice) => x * c[slice % c.length]!)
      expectResults(resultsOf(subject, scaled), resultsOf(subject, example), { relative: 1e-4, absolute: 1e-5 })
    })
  }

/** A positive factor c on inputs, together, gives c to the power of a degree on every result. */
export const homogeneous =
  (inputs: ReadonlyArray<string>, degree = 1): SubjectLaw =>
  (subject) => {
    for (const input of inputs) portAt(subject.name, subject.in, input)
    const name = `a positive factor c on ${inputs.join(" and ")} is c${degree === 1 ? "" : `^${degree}`} on the result`
    return law(name, fc.tuple(examplesOf(subject), factor), ([example, c]) => {
      const scaled = Object.fromEntries(inputs.map((input) => [input, example.inputs[input]!.map((x) => c * x)]))
      const [before, after] = [resultsOf(subject, example), resultsOf(subject, withInputs(example, scaled))]
      for (const [output, numbers] of Object.entries(before)) {
        expectClose(
          after[output]!,
          numbers.map((x) => c ** degree * x),
          { relative: 1e-4, absolute: 1e-5 },
        )
      }
    })
  }
