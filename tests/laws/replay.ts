/**
 * One seed for every law of a run: drawn anew each time, printed, and given back by `FC_SEED` to replay a run.
 * fast-check prints the same seed, and the path to the smallest counterexample, where a law fails.
 */
import { randomInt } from "node:crypto"

const given = process.env.FC_SEED

/** The seed of this run. */
export const seed: number = given === undefined ? randomInt(2 ** 31) : Number(given)

if (!Number.isInteger(seed)) throw new Error(`FC_SEED is ${given}; expected an integer`)

console.info(`laws: FC_SEED=${seed} replays this run`)
