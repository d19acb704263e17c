/**
 * Laws as values: a name and a property that can be run against any implementation, and so against a broken one.
 *
 *   const even = law("f(−x) is f(x)", real(), (x) => expectClose(f(-x), f(x)))
 *   even.check()
 *
 * They run on the tfjs backend that is active: `cpu`, unless another was set.
 */
import "../tfjs.js"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { lawRuns, lawSeed } from "./defaults.js"

export interface LawOptions {
  /** What the examples are drawn from; by default `FC_SEED`, or one drawn for the process. */
  readonly seed?: number
  /** How many examples; by default 30, and 1,000 where `MILLRACE_LONG` is set. */
  readonly runs?: number
  /** No new example is tried after so many seconds. */
  readonly seconds?: number
}

/** The smallest example found for which a law does not hold. */
export interface Counterexample {
  readonly example: string
  /** What the statement threw. */
  readonly reason: string
  /** How many times it was made smaller. */
  readonly shrinks: number
}

/** What came of trying a law. */
export interface Trial {
  readonly seed: number
  /** Examples that were tried. None, where every one was refused by the statement's precondition or there was no time. */
  readonly runs: number
  readonly counterexample: Counterexample | null
}

export interface Law {
  /** A sentence that could be false. */
  readonly name: string
  /** Throws with the smallest counterexample and the seed that replays it. */
  readonly check: (options?: LawOptions) => void
  /** Whether it holds; does not shrink. */
  readonly holds: (options?: LawOptions) => boolean
  /** What `check` would say, as data. */
  readonly trial: (options?: LawOptions) => Trial
}

/**
 * A law: the statement throws for a counterexample. Tensors made in it are disposed.
 * `fc.pre(condition)` in a statement refuses an example that the law says nothing of.
 */
export const law = <T>(name: string, examples: fc.Arbitrary<T>, statement: (example: T) => void): Law => {
  const property = fc.property(examples, (example) => tf.tidy(() => statement(example)))
  const run = ({ seed = lawSeed, runs = lawRuns, seconds }: LawOptions, shrink: boolean) =>
    fc.check(property, {
      seed,
      numRuns: runs,
      endOnFailure: !shrink,
      ...(seconds === undefined ? {} : { interruptAfterTimeLimit: 1000 * seconds, markInterruptAsFailure: false }),
    })
  return {
    name,
    check: (options = {}) => {
      const found = run(options, true)
      if (!found.failed) return
      const cause = found.errorInstance
      throw new Error(`${fc.defaultReportMessage(found)}\nFC_SEED=${found.seed} replays it`, { cause })
    },
    holds: (options = {}) => !run(options, false).failed,
    trial: (options = {}) => {
      const found = run(options, true)
      const { seed, numRuns, numShrinks, counterexample, errorInstance } = found
      if (counterexample === null) return { seed, runs: found.failed ? 0 : numRuns, counterexample: null }
      return {
        seed,
        runs: numRuns,
        counterexample: {
          example: fc.stringify(counterexample[0]),
          reason: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
          shrinks: numShrinks,
        },
      }
    },
  }
}
