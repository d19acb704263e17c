/** Tries the laws of tensor nodes. */
import type { LawOptions, TensorSubject } from "@millrace/core/laws"
import { Effect } from "effect"
import { type Ended, invalid } from "./exit.js"
import type { Placed } from "./lawsTarget.js"
import type { LawRow } from "./lawsText.js"

/** fast-check and the laws are loaded when they are tried. */
export const lawKit = Effect.promise(() => import("@millrace/core/laws"))

/** How the laws of a node are tried; null where they are not. */
type Choose = (subject: TensorSubject, place: string) => LawOptions | null

const tryNode = ({ node, places }: Placed, choose: Choose): Effect.Effect<ReadonlyArray<LawRow>, Ended> =>
  Effect.gen(function* () {
    const { nodeLaws } = yield* lawKit
    const { subject, universal, own } = yield* Effect.tryPromise({ try: () => nodeLaws(node), catch: invalid })
    const options = choose(subject, places[0]!)
    if (options === null) return []
    const rows: Array<LawRow> = []
    for (const [of, laws] of Object.entries({ ports: universal, own }) as ReadonlyArray<
      ["ports" | "own", typeof own]
    >) {
      for (const law of laws) {
        yield* Effect.yieldNow
        const trial = law.trial(options)
        const verdict = trial.counterexample !== null ? "broken" : trial.runs === 0 ? "untried" : "holds"
        rows.push({ node: subject.name, places, law: law.name, of, verdict, ...trial })
      }
    }
    return rows
  })

/** Which node is being tried, on a terminal: a large one takes a while. */
const watch = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
  })

/**
 * Every law of every node, with what came of it.
 * @fails Ended  3: the laws of a node cannot be made
 */
export const tryLaws = (nodes: ReadonlyArray<Placed>, choose: Choose): Effect.Effect<ReadonlyArray<LawRow>, Ended> =>
  Effect.forEach(nodes, (one, i) =>
    Effect.andThen(watch(`${i + 1} of ${nodes.length}  ${one.places[0]}`), tryNode(one, choose)),
  ).pipe(
    Effect.map((rows) => rows.flat()),
    Effect.ensuring(watch("")),
  )
