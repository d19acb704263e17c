/** The law of time. */
import fc from "fast-check"
import { BadConfig } from "../errors.js"
import { law } from "./law.js"
import { mapPlaces, picked, withAxis } from "./slices.js"
import {
  type Example,
  examplesOf,
  expectResults,
  outPorts,
  resultsOf,
  type SubjectLaw,
  type TensorSubject,
} from "./subject.js"

/** An example, another for the numbers that take its place, and where it is cut. */
const cut = (subject: TensorSubject, axis: string): fc.Arbitrary<[Example, Example, number]> =>
  examplesOf(subject).chain((example) => {
    const fixed: TensorSubject = { ...subject, sizes: { ...subject.sizes, ...example.sizes } }
    return fc.tuple(
      fc.constant(example),
      examplesOf(fixed),
      fc.integer({ min: 0, max: Math.max(0, (fixed.sizes?.[axis] ?? 1) - 1) }),
    )
  })

/**
 * Along an axis a result depends on nothing that comes later (`reads: "earlier"`, as in a language model) or on nothing
 * that came earlier (`reads: "later"`, as in a sum of future rewards). The place itself always counts.
 */
export const causal =
  (
    axis = "t",
    {
      reads = "earlier",
      except = [],
    }: { readonly reads?: "earlier" | "later"; readonly except?: ReadonlyArray<string> } = {},
  ): SubjectLaw =>
  (subject) => {
    const outputs = withAxis(outPorts(subject), axis)
    const changed = withAxis(subject.in, axis).filter((name) => !except.includes(name))
    if (outputs.length === 0 || changed.length === 0) {
      throw new BadConfig({
        where: subject.name,
        expected: "an axis that an input and an output have by themselves",
        received: `"${axis}"`,
        fix: "name the axis of positions",
      })
    }
    const sentence = reads === "earlier" ? "what comes later" : "what came earlier"
    return law(`${sentence} along ${axis} never changes a result`, cut(subject, axis), ([example, other, at]) => {
      const sizes = { ...subject.sizes, ...example.sizes }
      const stays = (along: number): boolean => (reads === "earlier" ? along <= at : along >= at)
      const inputs = Object.fromEntries(
        Object.entries(example.inputs).map(([name, flat]) => [
          name,
          changed.includes(name)
            ? mapPlaces(flat, subject.in[name]!, sizes, axis, (x, { along }, i) =>
                stays(along) ? x : other.inputs[name]![i]!,
              )
            : flat,
        ]),
      )
      const [before, after] = [resultsOf(subject, example), resultsOf(subject, { sizes: example.sizes, inputs })]
      for (const name of outputs) {
        const kept = (flat: ReadonlyArray<number>) => picked(flat, outPorts(subject)[name]!, sizes, axis, stays)
        // To the last bits: an engine may add in another order.
        expectResults(
          { [name]: kept(after[name]!) },
          { [name]: kept(before[name]!) },
          { relative: 1e-6, absolute: 1e-6 },
        )
      }
    })
  }
