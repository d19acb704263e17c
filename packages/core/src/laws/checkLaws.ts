import { LawBroken } from "../errors.js"
import { lawRuns, lawSeed } from "./defaults.js"
import type { Counterexample, Law, LawOptions } from "./law.js"
import type { SubjectLaws, TensorSubject } from "./subject.js"

/** The laws as they stand for a subject. */
export const lawsOf = (subject: TensorSubject, laws: ReadonlyArray<SubjectLaws>): ReadonlyArray<Law> =>
  laws.flatMap((each) => each(subject))

const bound = (subject: string | TensorSubject, laws: ReadonlyArray<Law | SubjectLaws>): ReadonlyArray<Law> =>
  laws.flatMap((each) => {
    if (typeof each !== "function") return each
    if (typeof subject === "string") throw new TypeError(`a law about ports needs a subject with ports, not a name`)
    return each(subject)
  })

/** Laws of functions by their name, or laws about the ports of a subject, or both. */
interface CheckLaws<A> {
  (subject: TensorSubject, laws: ReadonlyArray<Law | SubjectLaws>, options?: LawOptions): A
  (subject: string, laws: ReadonlyArray<Law>, options?: LawOptions): A
}

/** A law's name, the smallest counterexample, and what is wrong with it; cut where it is long. */
export const showCounterexample = (name: string, { example, reason }: Counterexample): string => {
  const cut = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}…` : text)
  return [
    name,
    `  at ${cut(example)}`,
    ...cut(reason)
      .split("\n")
      .map((line) => `  ${line}`),
  ].join("\n")
}

/**
 * Tries laws on a subject, in vitest or any other runner: `test("my loss", () => checkLaws("mine", rankingLaws(mine)))`.
 * @throws LawBroken  one or more do not hold: each with its smallest counterexample, and the seed that replays all
 */
export const checkLaws: CheckLaws<void> = (
  subject: string | TensorSubject,
  laws: ReadonlyArray<Law | SubjectLaws>,
  options: LawOptions = {},
): void => {
  const found = bound(subject, laws).map((each) => ({ name: each.name, ...each.trial(options) }))
  const wrong = found.flatMap(({ name, counterexample }) =>
    counterexample === null ? [] : [showCounterexample(name, counterexample)],
  )
  if (wrong.length === 0) return
  const { seed = lawSeed, runs = lawRuns } = options
  throw new LawBroken({
    where: typeof subject === "string" ? subject : subject.name,
    expected: `${found.length} ${found.length === 1 ? "law" : "laws"} to hold`,
    received: `${wrong.length} broken\n${wrong.join("\n")}`,
    fix: "mend the function, or leave out a law that it is not meant to obey",
    replay: `checkLaws(…, { seed: ${seed}, runs: ${runs} }), or FC_SEED=${seed}`,
  })
}

/** The names of the laws that a subject breaks, not shrunk. */
export const brokenLaws: CheckLaws<ReadonlyArray<string>> = (
  subject: string | TensorSubject,
  laws: ReadonlyArray<Law | SubjectLaws>,
  options: LawOptions = {},
): ReadonlyArray<string> =>
  bound(subject, laws)
    .filter((each) => !each.holds(options))
    .map(({ name }) => name)
