/** Laws of the way in which results follow an input. */
import fc from "fast-check"
import { expectThat } from "./close.js"
import { grid, real } from "./examples.js"
import { law } from "./law.js"
import { portAt } from "./slices.js"
import {
  type Example,
  examplesOf,
  expectResults,
  outPorts,
  type Results,
  resultsOf,
  type SubjectLaw,
  type TensorSubject,
  withInputs,
} from "./subject.js"

type Numbers = ReadonlyArray<number>

/** An example, and as many other numbers as the inputs have. */
const withOthers = (
  subject: TensorSubject,
  inputs: ReadonlyArray<string>,
): fc.Arbitrary<[Example, Record<string, Array<number>>]> => {
  for (const input of inputs) portAt(subject.name, subject.in, input)
  return examplesOf(subject).chain((example) =>
    fc.tuple(
      fc.constant(example),
      fc.record(Object.fromEntries(inputs.map((input) => [input, grid([example.inputs[input]!.length])]))),
    ),
  )
}

const outputsOf = (subject: TensorSubject, output: string | undefined): ReadonlyArray<string> =>
  output === undefined ? Object.keys(outPorts(subject)) : [output]

const slack = (...x: Numbers): number => 1e-5 * Math.max(1, ...x.map(Math.abs))

/** Raising numbers of an input never lowers a result (`rising`) or never raises one (`falling`). */
export const monotone =
  (input: string, direction: "rising" | "falling", output?: string): SubjectLaw =>
  (subject) => {
    const sign = direction === "rising" ? 1 : -1
    const name = `raising ${input} never ${direction === "rising" ? "lowers" : "raises"} ${output ?? "the result"}`
    return law(name, withOthers(subject, [input]), ([example, by]) => {
      const raised = example.inputs[input]!.map((x, i) => x + Math.abs(by[input]![i]!))
      const [before, after] = [
        resultsOf(subject, example),
        resultsOf(subject, withInputs(example, { [input]: raised })),
      ]
      for (const one of outputsOf(subject, output)) {
        before[one]!.forEach((x, i) => {
          const y = after[one]![i]!
          expectThat(sign * (y - x) >= -slack(x, y), () => `${one} went from ${x} to ${y}`)
        })
      }
    })
  }

/** The result in the middle of two values of an input is never above the mean of the results. */
export const convex =
  (input: string, output?: string): SubjectLaw =>
  (subject) =>
    law(`${output ?? "the result"} is convex in ${input}`, withOthers(subject, [input]), ([example, other]) => {
      const [one, two] = [example.inputs[input]!, other[input]!]
      const at = (numbers: Numbers): Results => resultsOf(subject, withInputs(example, { [input]: numbers }))
      const [low, high, middle] = [at(one), at(two), at(one.map((x, i) => (x + two[i]!) / 2))]
      for (const name of outputsOf(subject, output)) {
        middle[name]!.forEach((x, i) => {
          const mean = (low[name]![i]! + high[name]![i]!) / 2
          expectThat(x <= mean + slack(x, low[name]![i]!, high[name]![i]!), () => `${x} in the middle is above ${mean}`)
        })
      }
    })

/** f(x + c y) = f(x) + c f(y), in some inputs together. */
export const linear =
  (...inputs: ReadonlyArray<string>): SubjectLaw =>
  (subject) =>
    law(
      `it is linear in ${inputs.join(" and ")}`,
      fc.tuple(withOthers(subject, inputs), real(3)),
      ([[example, other], c]) => {
        const sum = Object.fromEntries(
          inputs.map((input) => [input, example.inputs[input]!.map((x, i) => x + c * other[input]![i]!)]),
        )
        const [x, y] = [resultsOf(subject, example), resultsOf(subject, withInputs(example, other))]
        const expected = Object.fromEntries(
          Object.entries(x).map(([name, numbers]) => [name, numbers.map((v, i) => v + c * y[name]![i]!)]),
        )
        expectResults(resultsOf(subject, withInputs(example, sum)), expected, { relative: 1e-4, absolute: 1e-4 })
      },
    )

/** f(f(x)) = f(x): an output put in as an input of the same shape comes out as it is. */
export const idempotent =
  (input: string, output = "out"): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, input)
    return law(`${output} put in again as ${input} stays as it is`, examplesOf(subject), (example) => {
      const once = resultsOf(subject, example)[output]!
      const twice = resultsOf(subject, withInputs(example, { [input]: once }))[output]!
      expectResults({ [output]: twice }, { [output]: once }, { relative: 1e-4, absolute: 1e-4 })
    })
  }
