/** Names for the outputs that an engine adds to a program. */
import type { Program } from "../program/ir.js"

/** The name, with as many primes as it takes to differ from the program's own outputs. */
export const unusedName = ({ outputs }: Program, wanted: string): string => {
  const taken = new Set(outputs.map(({ name }) => name))
  let name = wanted
  while (taken.has(name)) name += "'"
  return name
}
