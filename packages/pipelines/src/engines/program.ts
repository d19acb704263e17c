/** Programs of the machine, run for what they say. */
import { Effect } from "effect"
import { Host, type Ran, type RunOptions } from "./host.js"
import { waited } from "./waited.js"

/** What is given to a program: `["pip", "download"]`. */
export type Words = readonly [string, ...ReadonlyArray<string>]

/** A program run to its end; null where it does not start. Interrupted, it is stopped and waited for. */
export const runProgram = (
  [command, ...args]: Words,
  options: Omit<RunOptions, "signal"> = {},
): Effect.Effect<Ran | null> =>
  Effect.flatMap(Host, (host) =>
    waited((signal) => host.run(command, args, { ...options, signal })).pipe(Effect.orElseSucceed(() => null)),
  )

/** The first of some programs that starts and says its version. */
export const firstThatRuns = (candidates: ReadonlyArray<Words>): Effect.Effect<Words | null> =>
  Effect.gen(function* () {
    for (const words of candidates) {
      const ran = yield* runProgram([...words, "--version"])
      if (ran?.code === 0) return words
    }
    return null
  })

/** The last lines that a program wrote to say why it failed, at most so many. */
export const complaint = (ran: Ran | null, lines = 4): string => {
  if (ran === null) return "it does not start"
  const said = `${ran.out}\n${ran.err}`
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
  const telling = said.filter((line) =>
    /error|fail|denied|space|could not|unable|mismatch|^expected |^got /i.test(line),
  )
  const text = (telling.length > 0 ? telling : said).slice(-lines).join("\n")
  return text === "" ? `it ended with ${ran.signal ?? `code ${ran.code}`} and said nothing` : text
}

/** Whether a program failed for want of space, as far as it says so. */
export const lacksSpace = (ran: Ran | null): boolean =>
  ran !== null && /no space left on device|ENOSPC|disk quota exceeded/i.test(`${ran.out}\n${ran.err}`)
