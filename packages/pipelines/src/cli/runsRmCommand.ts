/** `millrace runs rm`: removes runs, and nothing of the store. */
import { basename } from "node:path"
import { createInterface } from "node:readline/promises"
import { BadData, claimRun, removeRun } from "@millrace/core/runs"
import { Effect } from "effect"
import { type Ended, failed, usage } from "./exit.js"
import { findRun } from "./findRun.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"

export interface RunsRmArguments {
  readonly runs: ReadonlyArray<string>
  readonly out: string
  readonly yes: boolean
  readonly json: boolean
}

const question = async (text: string, signal: AbortSignal): Promise<boolean> => {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  // The terminal gives Ctrl-C to the question: it is meant for the command.
  asking.on("SIGINT", () => process.kill(process.pid, "SIGINT"))
  try {
    return /^y(?:es)?$/i.test((await asking.question(text, { signal })).trim())
  } catch {
    // The end of the input is a no.
    return false
  } finally {
    asking.close()
  }
}

/** @fails Ended  2 where nobody can be asked */
const agreed = (names: ReadonlyArray<string>): Effect.Effect<boolean, Ended> =>
  process.stdin.isTTY && process.stderr.isTTY
    ? Effect.promise((signal) => question(`remove ${names.join(", ")}? [y/N] `, signal))
    : Effect.fail(
        usage(
          new BadData({
            where: "runs rm",
            expected: "an answer at a terminal, or --yes",
            received: "neither",
            fix: `add --yes to remove ${names.join(", ")}`,
          }),
        ),
      )

/**
 * Removes each run as a whole, and none where a process is at work in one of them.
 * @fails Ended  2: no such run, one that a process writes, nobody who agrees; 1: files that cannot be removed
 */
export const runsRmCommand = (given: RunsRmArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const paths = new Set<string>()
    for (const run of given.runs) paths.add(yield* findRun(run, given.out))
    const names = [...paths].map((path) => basename(path))
    const claims = Effect.forEach(
      [...paths],
      (path) =>
        claimRun(path).pipe(Effect.mapError((error) => (error._tag === "BadData" ? usage(error) : failed(error)))),
      { discard: true },
    )
    // A run is looked at before a person is asked about it, and again when it goes.
    yield* Effect.scoped(claims)
    if (!given.yes && !(yield* agreed(names))) {
      return yield* print(given.json ? jsonText({ removed: [] }) : "nothing was removed")
    }
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* claims
        for (const path of paths) yield* removeRun(path).pipe(Effect.mapError(failed))
      }),
    )
    yield* print(
      given.json
        ? jsonText({ removed: names })
        : `removed ${names.join(", ")}; what they made stays in the store until  millrace gc`,
    )
  })
