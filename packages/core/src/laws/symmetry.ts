/** Laws of exchange and of sign. */
import { law } from "./law.js"
import { portAt } from "./slices.js"
import {
  type Example,
  examplesOf,
  expectResults,
  type Results,
  resultsOf,
  type SubjectLaw,
  withInputs,
} from "./subject.js"

const negated = (results: Results): Results =>
  Object.fromEntries(Object.entries(results).map(([name, numbers]) => [name, numbers.map((x) => -x)]))

const swapping =
  (sentence: string, a: string, b: string, expected: (results: Results) => Results): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, a)
    portAt(subject.name, subject.in, b)
    return law(`swapping ${a} and ${b} ${sentence}`, examplesOf(subject), (example) => {
      const swapped = withInputs(example, { [a]: example.inputs[b]!, [b]: example.inputs[a]! })
      expectResults(resultsOf(subject, swapped), expected(resultsOf(subject, example)))
    })
  }

/** f(a, b) = f(b, a). The two inputs have the same axes. */
export const symmetric = (a: string, b: string): SubjectLaw => swapping("changes nothing", a, b, (x) => x)

/** f(a, b) = −f(b, a). */
export const antisymmetric = (a: string, b: string): SubjectLaw => swapping("negates the result", a, b, negated)

const opposite =
  (sentence: string, input: string, expected: (results: Results) => Results): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, input)
    return law(`negating ${input} ${sentence}`, examplesOf(subject), (example: Example) => {
      const turned = withInputs(example, { [input]: example.inputs[input]!.map((x) => -x) })
      expectResults(resultsOf(subject, turned), expected(resultsOf(subject, example)))
    })
  }

/** f(−x) = −f(x). */
export const odd = (input: string): SubjectLaw => opposite("negates the result", input, negated)

/** f(−x) = f(x). */
export const even = (input: string): SubjectLaw => opposite("changes nothing", input, (x) => x)
