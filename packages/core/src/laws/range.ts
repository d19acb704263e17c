/** Laws of the values that come out. */
import fc from "fast-check"
import { expectClose, expectThat } from "./close.js"
import { law } from "./law.js"
import { mapPlaces, portAt } from "./slices.js"
import {
  examplesOf,
  outPorts,
  type Results,
  resultsOf,
  type SubjectLaw,
  type TensorSubject,
  withInputs,
} from "./subject.js"

/** The outputs that a law is about: one, or all. */
const chosen = (subject: TensorSubject, output: string | undefined): ReadonlyArray<string> => {
  if (output === undefined) return Object.keys(outPorts(subject))
  portAt(subject.name, outPorts(subject), output)
  return [output]
}

const expectEach = (
  results: Results,
  outputs: ReadonlyArray<string>,
  holds: (x: number) => boolean,
  so: string,
): void => {
  for (const output of outputs) {
    const wrong = results[output]!.find((x) => !holds(x))
    expectThat(wrong === undefined, () => `${output} has ${wrong}, which ${so}`)
  }
}

/** No number of an output, or of any, is below 0. */
export const nonNegative =
  (output?: string): SubjectLaw =>
  (subject) => {
    const outputs = chosen(subject, output)
    return law(`${output ?? "the result"} is never negative`, examplesOf(subject), (example) => {
      expectEach(resultsOf(subject, example), outputs, (x) => x >= 0, "is below 0")
    })
  }

/** `−∞` and not `-Infinity`. */
const bound = (x: number): string => String(x).replace("-", "−").replace("Infinity", "∞")

/** Every number of an output, or of any, lies within a range, but for rounding. */
export const bounded =
  (low: number, high: number, output?: string): SubjectLaw =>
  (subject) => {
    const outputs = chosen(subject, output)
    return law(
      `${output ?? "the result"} lies within ${bound(low)} and ${bound(high)}`,
      examplesOf(subject),
      (example) => {
        const inside = (x: number): boolean => {
          const slack = 1e-5 * Math.max(1, Math.abs(x))
          return x >= low - slack && x <= high + slack
        }
        expectEach(resultsOf(subject, example), outputs, inside, `is not within ${low} and ${high}`)
      },
    )
  }

/** No number is NaN or infinite. */
export const finite = (): SubjectLaw => (subject) =>
  law("every result is finite", examplesOf(subject), (example) => {
    expectEach(resultsOf(subject, example), chosen(subject, undefined), Number.isFinite, "is not finite")
  })

/**
 * A distance: 0 where two inputs are equal, above 0 where they are not.
 * @param apart  how far two numbers must be apart, at least at one place, for the result to be seen in float32
 */
export const zeroIffEqual =
  (
    a: string,
    b: string,
    { output, apart = 0.1 }: { readonly output?: string; readonly apart?: number } = {},
  ): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, a)
    portAt(subject.name, subject.in, b)
    const outputs = chosen(subject, output)
    return law(`the result is 0 where ${a} and ${b} are equal, and nowhere else`, examplesOf(subject), (example) => {
      const equal = resultsOf(subject, withInputs(example, { [b]: example.inputs[a]! }))
      for (const name of outputs)
        expectClose(
          equal[name]!,
          equal[name]!.map(() => 0),
        )
      fc.pre(example.inputs[a]!.some((x, i) => Math.abs(x - example.inputs[b]![i]!) > apart))
      const results = resultsOf(subject, example)
      for (const name of outputs) {
        const most = Math.max(...results[name]!)
        expectThat(most > 0, () => `${name} is ${most} for different ${a} and ${b}`)
      }
    })
  }

/** Along an axis, the numbers of an output sum to a total: 1 for probabilities. */
export const sumsTo =
  (total: number, axis: string, output = "out"): SubjectLaw =>
  (subject) => {
    const port = portAt(subject.name, outPorts(subject), output, axis)
    return law(`${output} sums to ${total} along ${axis}`, examplesOf(subject), (example) => {
      const sums: Array<number> = []
      mapPlaces(
        resultsOf(subject, example)[output]!,
        port,
        { ...subject.sizes, ...example.sizes },
        axis,
        (x, { slice }) => {
          sums[slice] = (sums[slice] ?? 0) + x
          return x
        },
      )
      expectClose(
        sums,
        sums.map(() => total),
      )
    })
  }
