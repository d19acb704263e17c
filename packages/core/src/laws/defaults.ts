/**
 * What laws are tried on where nobody says otherwise. `FC_SEED` replays a run, `MILLRACE_LONG` tries a thousand examples of
 * each law.
 */
import { randomInt } from "node:crypto"

const given = process.env.FC_SEED

/** One seed for every law of a process: drawn anew each time, unless `FC_SEED` gives it. */
export const lawSeed: number = given === undefined ? randomInt(2 ** 31) : Number(given)

if (!Number.isInteger(lawSeed)) throw new Error(`FC_SEED is ${given}; expected an integer`)

/** Examples of each law. */
export const lawRuns: number = process.env.MILLRACE_LONG === undefined ? 30 : 1000
