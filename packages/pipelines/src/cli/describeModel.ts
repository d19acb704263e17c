/** Finds a model at one of its published sizes, and describes it. */
import { BadConfig, didYouMean, textTable } from "@millrace/core/definitions"
import { paperModels } from "@millrace/models/paperModels"
import { Effect, Option } from "effect"
import { describeGraph } from "./describe.js"
import { costsJson, describeCosts } from "./describeCosts.js"
import { describeJson } from "./describeJson.js"
import { type Ended, usage } from "./exit.js"

/** A description for a person, and the same for a program. */
export interface Described {
  readonly text: () => string
  readonly json: () => Readonly<Record<string, unknown>>
}

const sizesOf = (name: string): Described => {
  const { source, sizes } = paperModels[name]!
  const names = Object.keys(sizes)
  return {
    text: () =>
      textTable({ title: `Sizes of ${name} (${source})`, columns: ["size"], rows: names.map((size) => [size]) }),
    json: () => ({ model: { name, source, sizes: names } }),
  }
}

/**
 * The graph and the costs of a model at a size; without one, the sizes that there are.
 * @fails Ended  2: no such size
 */
export const describeModel = (name: string, size: Option.Option<string>): Effect.Effect<Described, Ended> =>
  Effect.suspend(() => {
    const { source, sizes } = paperModels[name]!
    if (Option.isNone(size)) return Effect.succeed(sizesOf(name))
    if (Object.hasOwn(sizes, size.value)) {
      const found = sizes[size.value]!()
      return Effect.succeed({
        text: () => `${describeGraph(found.graph)}\n${describeCosts(found)}`,
        json: () => ({
          graph: describeJson(found.graph),
          model: { name, source, size: size.value, ...costsJson(found) },
        }),
      })
    }
    const received = `--size ${size.value}`
    const fix = didYouMean(size.value, Object.keys(sizes))
    return Effect.fail(usage(new BadConfig({ where: name, expected: "a published size of the model", received, fix })))
  })
