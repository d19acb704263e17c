/**
 * One seed for every law of a run: drawn anew each time, printed, and given back by `FC_SEED` to replay a run.
 * fast-check prints the same seed, and the path to the smallest counterexample, where a law fails.
 */
import { lawSeed } from "@millrace/core/laws"

/** The seed of this run. */
export const seed: number = lawSeed

console.info(`laws: FC_SEED=${seed} replays this run`)
