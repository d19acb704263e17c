import { type Difference, differences } from "./difference.js"

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
export const environmentDifferences = (a: Environment, b: Environment): ReadonlyArray<Difference> =>
  differences(machineOf(a), machineOf(b))
