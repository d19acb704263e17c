/** Laws as tests of vitest. A user's own loss stands under the same laws in three lines; see ownLoss.test.ts. */
import "./backend.js"
import "./replay.js"
import type { Law } from "@millrace/core/laws"
import { describe, test } from "vitest"

export { type Law, law } from "@millrace/core/laws"

/** A test for each law. */
export const verify = (subject: string, laws: ReadonlyArray<Law>): void => {
  describe(subject, () => {
    for (const { name, check } of laws) test(name, () => check())
  })
}

/** The names of the laws that an implementation breaks. */
export const broken = (laws: ReadonlyArray<Law>): ReadonlyArray<string> =>
  laws.filter((each) => !each.holds()).map(({ name }) => name)
