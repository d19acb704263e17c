import { BadConfig, type Sizes } from "@millrace/core"
import { Effect } from "effect"
import { type Ended, usage } from "./exit.js"

/**
 * Sizes of axes, from options such as `b=8`.
 * @fails Ended  2: not a name and a whole number above 0
 */
export const sizesOf = (texts: ReadonlyArray<string>): Effect.Effect<Sizes, Ended> =>
  Effect.gen(function* () {
    const sizes: Record<string, number> = {}
    for (const text of texts) {
      const [, name, size] = /^(\w+)=([1-9]\d{0,8})$/.exec(text) ?? []
      if (name === undefined) {
        return yield* usage(
          new BadConfig({
            where: `--size ${text}`,
            expected: "name=size, the size a whole number above 0",
            received: `"${text}"`,
            fix: "write it as --size b=8",
          }),
        )
      }
      sizes[name] = Number(size)
    }
    return sizes
  })
