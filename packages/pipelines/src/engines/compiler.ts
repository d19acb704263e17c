import { Effect } from "effect"
import { firstThatRuns, type Words } from "./program.js"

/** The machine's C++ compiler, as `CXX` names it or under a usual name; null where there is none. */
export const findCompiler: Effect.Effect<Words | null> = Effect.suspend(() => {
  const own = process.env.CXX?.trim().split(/\s+/) ?? []
  const [command, ...args] = own
  const named: ReadonlyArray<Words> = command === undefined || command === "" ? [] : [[command, ...args]]
  return firstThatRuns([...named, ["c++"], ["g++"], ["clang++"]])
})
