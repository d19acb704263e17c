/** The law of padding. */
import fc from "fast-check"
import { law } from "./law.js"
import { picked, portAt, withAxis } from "./slices.js"
import { type Example, examplesOf, expectResults, outPorts, resultsOf, type SubjectLaw, shapeOf } from "./subject.js"

/**
 * Masked places that are added along an axis, at its end or at its beginning, change no result; of results that have the
 * axis, those at the mask's true places are compared.
 */
export const paddingInvariant =
  (mask: string, axis = "t", { side = "right" }: { readonly side?: "left" | "right" } = {}): SubjectLaw =>
  (subject) => {
    portAt(subject.name, subject.in, mask, axis)
    const outputs = outPorts(subject)
    const name = `padding on the ${side} along ${axis} changes nothing`
    return law(name, fc.tuple(examplesOf(subject), fc.integer({ min: 1, max: 2 })), ([example, more]) => {
      const sizes = { ...subject.sizes, ...example.sizes }
      const length = sizes[axis] ?? 1
      const wide: Example["sizes"] = { ...example.sizes, [axis]: length + more }
      const from = side === "right" ? 0 : more
      const original = (along: number): boolean => along >= from && along < from + length
      const inputs = Object.fromEntries(
        Object.entries(example.inputs).map(([input, flat]) => {
          const port = subject.in[input]!
          if (!withAxis(subject.in, axis).includes(input)) return [input, flat]
          const count = shapeOf(port, { ...sizes, ...wide }).reduce((n, d) => n * d, 1)
          const kept = picked(indices(count), port, { ...sizes, ...wide }, axis, original)
          const padded = Array.from({ length: count }, () => 0)
          for (const [i, place] of kept.entries()) padded[place] = flat[i]!
          return [input, padded]
        }),
      )
      const [narrow, padded] = [resultsOf(subject, example), resultsOf(subject, { sizes: wide, inputs })]
      for (const [output, flat] of Object.entries(narrow)) {
        const port = outputs[output]!
        const timed = withAxis(outputs, axis).includes(output)
        const found = timed ? picked(padded[output]!, port, { ...sizes, ...wide }, axis, original) : padded[output]!
        // What a model says of places that were padding already means nothing.
        const real = timed && port.axes.startsWith(subject.in[mask]!.axes) ? example.inputs[mask]! : null
        const counts = (_: number, i: number): boolean =>
          real === null || real[Math.floor((i * real.length) / flat.length)] !== 0
        expectResults({ [output]: found.filter(counts) }, { [output]: flat.filter(counts) })
      }
    })
  }

const indices = (count: number): Array<number> => Array.from({ length: count }, (_, i) => i)
