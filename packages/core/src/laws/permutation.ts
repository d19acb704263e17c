/** Laws of order along an axis. */
import fc from "fast-check"
import { BadConfig } from "../errors.js"
import { expectClose } from "./close.js"
import { law } from "./law.js"
import { picked, reordered, withAxis } from "./slices.js"
import {
  type Example,
  examplesOf,
  expectResults,
  outPorts,
  type Results,
  resultsOf,
  type SubjectLaw,
  type TensorSubject,
} from "./subject.js"

const sizesOf = (subject: TensorSubject, { sizes }: Example) => ({ ...subject.sizes, ...sizes })

/** An example, and an order of the places along an axis. */
const withOrder = (subject: TensorSubject, axis: string): fc.Arbitrary<[Example, Array<number>]> =>
  examplesOf(subject).chain((example) => {
    const n = sizesOf(subject, example)[axis] ?? 1
    const places = Array.from({ length: n }, (_, i) => i)
    return fc.tuple(fc.constant(example), fc.shuffledSubarray(places, { minLength: n }))
  })

const permuted = (subject: TensorSubject, example: Example, axis: string, order: ReadonlyArray<number>): Example => ({
  sizes: example.sizes,
  inputs: Object.fromEntries(
    Object.entries(example.inputs).map(([name, flat]) => [
      name,
      reordered(flat, subject.in[name]!, sizesOf(subject, example), axis, order),
    ]),
  ),
})

const requireAxis = (subject: TensorSubject, axis: string): void => {
  if (withAxis(subject.in, axis).length > 0) return
  throw new BadConfig({
    where: subject.name,
    expected: "an axis that an input has by itself",
    received: `"${axis}"`,
    fix: `name one of ${Object.values(subject.in)
      .map(({ axes }) => `[${axes}]`)
      .join(", ")}`,
  })
}

/** Every input put in another order along an axis, all alike: no result changes. */
export const permutationInvariant =
  (axis: string): SubjectLaw =>
  (subject) => {
    requireAxis(subject, axis)
    return law(`the order along ${axis} is irrelevant`, withOrder(subject, axis), ([example, order]) => {
      expectResults(resultsOf(subject, permuted(subject, example, axis, order)), resultsOf(subject, example))
    })
  }

/** Every input put in another order along an axis: the results that have the axis come in that order, others stay. */
export const permutationEquivariant =
  (axis: string): SubjectLaw =>
  (subject) => {
    requireAxis(subject, axis)
    return law(
      `what is reordered along ${axis} comes out in that order`,
      withOrder(subject, axis),
      ([example, order]) => {
        const sizes = sizesOf(subject, example)
        const ports = outPorts(subject)
        const expected: Results = Object.fromEntries(
          Object.entries(resultsOf(subject, example)).map(([name, flat]) => [
            name,
            reordered(flat, ports[name]!, sizes, axis, order),
          ]),
        )
        expectResults(resultsOf(subject, permuted(subject, example, axis, order)), expected)
      },
    )
  }

/**
 * Each row of a batch is computed by itself: what comes out of a batch is what comes out of its rows, one at a time.
 * It says nothing of results without the axis, such as a mean over the batch.
 */
export const batchEquivariant =
  (axis = "b"): SubjectLaw =>
  (subject) => {
    requireAxis(subject, axis)
    const ports = outPorts(subject)
    return law(`a row along ${axis} gives alone what it gives among others`, examplesOf(subject), (example) => {
      const sizes = sizesOf(subject, example)
      const together = resultsOf(subject, example)
      for (let row = 0; row < (sizes[axis] ?? 1); row++) {
        const pick = (flat: ReadonlyArray<number>, name: string, from: typeof ports) =>
          picked(flat, from[name]!, sizes, axis, (along) => along === row)
        const inputs = Object.fromEntries(
          Object.entries(example.inputs).map(([name, flat]) => [
            name,
            withAxis(subject.in, axis).includes(name) ? pick(flat, name, subject.in) : flat,
          ]),
        )
        const alone = resultsOf(subject, { sizes: { ...example.sizes, [axis]: 1 }, inputs })
        for (const name of withAxis(ports, axis)) expectClose(alone[name]!, pick(together[name]!, name, ports))
      }
    })
  }
