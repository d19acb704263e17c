/**
 * Laws as values: a name and a property that can be run against any implementation, and so against a broken one.
 * A user's own loss stands under the same laws in three lines; see ownLoss.test.ts.
 */
import "./backend.js"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, test } from "vitest"
import { seed } from "./replay.js"

export interface Law {
  /** A sentence that could be false. */
  readonly name: string
  /** Throws with the smallest counterexample and the seed that replays it. */
  readonly check: () => void
  /** Whether it holds; does not shrink. */
  readonly holds: () => boolean
}

/** Examples of each law; `MILLRACE_LONG` tries ten times as many. */
const runs = process.env.MILLRACE_LONG === undefined ? 30 : 300

/** A law: the statement throws for a counterexample. Tensors made in it are disposed. */
export const law = <T>(name: string, examples: fc.Arbitrary<T>, statement: (example: T) => void): Law => {
  const property = fc.property(examples, (example) => tf.tidy(() => statement(example)))
  return {
    name,
    check: () => {
      try {
        fc.assert(property, { seed, numRuns: runs })
      } catch (error) {
        throw new Error(`${(error as Error).message}\nFC_SEED=${seed} replays it`, { cause: error })
      }
    },
    holds: () => !fc.check(property, { seed, numRuns: runs, endOnFailure: true }).failed,
  }
}

/** A test for each law. */
export const verify = (subject: string, laws: ReadonlyArray<Law>): void => {
  describe(subject, () => {
    for (const { name, check } of laws) test(name, check)
  })
}

/** The names of the laws that an implementation breaks. */
export const broken = (laws: ReadonlyArray<Law>): ReadonlyArray<string> =>
  laws.filter((each) => !each.holds()).map(({ name }) => name)
