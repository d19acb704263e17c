/** The law of masks. */
import fc from "fast-check"
import { BadConfig } from "../errors.js"
import { showPort } from "../port.js"
import { expectSame } from "./close.js"
import { law } from "./law.js"
import { mapPlaces, placeOf, portAt } from "./slices.js"
import { slopesOf } from "./slopes.js"
import {
  continuousInputs,
  type Example,
  examplesOf,
  expectSameResults,
  outPorts,
  type Results,
  resultsOf,
  type SubjectLaw,
  shapeOf,
  type TensorSubject,
  withInputs,
} from "./subject.js"

type Numbers = ReadonlyArray<number>

/** What a masked place may hold and nobody may notice. */
const junk = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -1)
const junkId = fc.constantFrom(-1, -1000, 2 ** 30)

const axesOf = (axes: string): ReadonlyArray<string> => axes.split(" ")

/** For each number of a port, whether the mask of its place is true; null for a port that the mask does not index. */
const keptAt = (
  subject: TensorSubject,
  example: Example,
  mask: string,
  axes: string,
): ReadonlyArray<boolean> | null => {
  const sizes = { ...subject.sizes, ...example.sizes }
  const over = axesOf(subject.in[mask]!.axes)
  const port = { dtype: "float32", axes, unit: "" }
  if (!over.every((axis) => placeOf(port, axis) !== null)) return null
  const size = shapeOf(port, sizes).reduce((n, d) => n * d, 1)
  const flat = Array.from({ length: size }, () => 0)
  // The index in the mask, axis by axis.
  const index = over.reduce<Array<number>>(
    (so, axis) => mapPlaces(so, port, sizes, axis, (x, { along }) => x * (sizes[axis] ?? 1) + along),
    flat,
  )
  return index.map((i) => example.inputs[mask]![i] !== 0)
}

/**
 * What a mask hides changes no bit: neither of a result nor of a gradient, whatever it holds.
 *
 * @param mask    the mask, of the same leading meaning in every input that has all of its axes
 * @param inputs  the inputs that it hides
 * @param results `all` must stay the same (a loss), or those at the mask's true places alone (a model that says nothing of
 *                padding)
 */
export const maskedNeverLeaks =
  (
    mask: string,
    inputs: ReadonlyArray<string>,
    { results = "all" }: { readonly results?: "all" | "kept" } = {},
  ): SubjectLaw =>
  (subject) => {
    const over = axesOf(portAt(subject.name, subject.in, mask).axes)
    for (const input of inputs) {
      const port = portAt(subject.name, subject.in, input)
      if (over.every((axis) => placeOf(port, axis) !== null)) continue
      throw new BadConfig({
        where: subject.name,
        expected: `an input with the axes of ${mask}: ${over.join(" ")}`,
        received: `${input}: ${showPort(port)}`,
        fix: "name inputs that the mask hides",
      })
    }
    const seen = (example: Example, all: Results): Results =>
      Object.fromEntries(
        Object.entries(all).map(([name, flat]) => {
          const kept = results === "all" ? null : keptAt(subject, example, mask, outPorts(subject)[name]!.axes)
          return [name, kept === null ? flat : flat.filter((_, i) => kept[i])]
        }),
      )
    return law(
      `what ${mask} hides of ${inputs.join(", ")} changes no bit of a result${results === "all" ? " or a gradient" : ""}`,
      fc.tuple(examplesOf(subject), junk, junkId),
      ([example, float, id]) => {
        const hide = (name: string): Numbers => {
          const kept = keptAt(subject, example, mask, subject.in[name]!.axes)!
          const by = subject.in[name]!.dtype === "float32" ? float : id
          return example.inputs[name]!.map((x, i) => (kept[i] ? x : by))
        }
        const dirty = withInputs(example, Object.fromEntries(inputs.map((name) => [name, hide(name)])))
        expectSameResults(seen(example, resultsOf(subject, dirty)), seen(example, resultsOf(subject, example)))
        // A weighted sum of all results would ask after those that mean nothing.
        if (results === "kept" || continuousInputs(subject).length === 0) return
        const [clean, after] = [slopesOf(subject, example), slopesOf(subject, dirty)]
        for (const [name, slope] of Object.entries(clean)) expectSame(after[name]!, slope)
      },
    )
  }
