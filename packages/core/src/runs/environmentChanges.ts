import { type Change, changes } from "../store/whatChanged.js"

type Environment = Readonly<Record<string, unknown>>

/** When a run began is no difference, and what decides it stands with the run. */
const machineOf = ({
  startedAt: _,
  seed: __,
  graph: ___,
  backend: ____,
  engine: _____,
  ...machine
}: Environment): Environment => machine

/** What two environments differ in of versions and machine: threads, instructions, packages. Seed and engine stand with the run. */
export const environmentChanges = (before: Environment, now: Environment): ReadonlyArray<Change> =>
  changes(machineOf(before), machineOf(now), "")
