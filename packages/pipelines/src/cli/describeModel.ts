/** Finds a model at one of its published sizes, and describes it. */
import { BadConfig, didYouMean, textTable } from "@millrace/core/definitions"
import { paperModels } from "@millrace/models/paperModels"
import { Effect, Option } from "effect"
import { describeGraph } from "./describe.js"
import { describeCosts } from "./describeCosts.js"
import { type Ended, usage } from "./exit.js"

const sizesText = (name: string): string =>
  textTable({
    title: `Sizes of ${name} (${paperModels[name]!.source})`,
    columns: ["size"],
    rows: Object.keys(paperModels[name]!.sizes).map((size) => [size]),
  })

/**
 * The graph and the costs of a model at a size; without one, the sizes that there are.
 * @fails Ended  2: no such size
 */
export const describeModel = (name: string, size: Option.Option<string>): Effect.Effect<string, Ended> =>
  Effect.suspend(() => {
    const { sizes } = paperModels[name]!
    if (Option.isNone(size)) return Effect.succeed(sizesText(name))
    if (Object.hasOwn(sizes, size.value)) {
      const found = sizes[size.value]!()
      return Effect.succeed(`${describeGraph(found.graph)}\n${describeCosts(found)}`)
    }
    const received = `--size ${size.value}`
    const fix = didYouMean(size.value, Object.keys(sizes))
    return Effect.fail(usage(new BadConfig({ where: name, expected: "a published size of the model", received, fix })))
  })
