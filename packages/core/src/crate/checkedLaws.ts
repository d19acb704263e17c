/** Laws of a graph's nodes as they were checked: the file `laws.json` of a crate, and what `millrace laws --json` prints. */
import { Effect, Schema } from "effect"
import { BadData } from "../errors.js"
import { Sha256 } from "../files/checkedJson.js"
import { parseJson } from "../json.js"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const CheckedLaw = Schema.Struct({
  /** `type@version` */
  node: Schema.String,
  /** Where it stands: `stage.function.node`, or `outer.inner` in a graph of tensors. */
  places: Schema.NonEmptyArray(Schema.String),
  /** A sentence that could be false. */
  law: Schema.String,
  /** `ports`: it holds for every node with such ports. `own`: the node carries it. */
  of: Schema.Literals(["ports", "own"]),
  /** `untried`: no example was one that the law speaks of. */
  verdict: Schema.Literals(["holds", "broken", "untried"]),
  seed: Schema.Int,
  /** Examples that were tried. */
  runs: Count,
  counterexample: Schema.NullOr(Schema.Struct({ example: Schema.String, reason: Schema.String, shrinks: Count })),
})
export type CheckedLaw = typeof CheckedLaw.Type

export const CheckedLaws = Schema.Struct({
  /** The graph's name, and the SHA-256 of it. */
  graph: Schema.String,
  hash: Sha256,
  /** What examples were drawn from, and how many of each law were tried at most. */
  seed: Schema.Int,
  runs: Count,
  laws: Schema.Array(CheckedLaw),
  /** Stages that cannot tell before a run which nodes they run, and nodes whose laws were not tried, with the reason. */
  without: Schema.optionalKey(Schema.Array(Schema.Struct({ place: Schema.String, reason: Schema.String }))),
})
export type CheckedLaws = typeof CheckedLaws.Type

const decode = Schema.decodeUnknownEffect(CheckedLaws)

/**
 * Laws that were checked, from a file that nobody vouches for.
 * @param hash  of the graph whose laws they are to be
 * @fails BadData  another form, a verdict against its own counterexample, or laws of another graph
 */
export const readCheckedLaws = (text: string, where: string, hash: string): Effect.Effect<CheckedLaws, BadData> =>
  Effect.gen(function* () {
    const bad = (expected: string, received: string, fix: string) => new BadData({ where, expected, received, fix })
    const laws = yield* Effect.mapError(decode(yield* parseJson(text, where)), ({ message }) =>
      bad("what `millrace laws --json` prints", message.split("\n").slice(0, 3).join(" "), "check the laws again"),
    )
    if (laws.hash !== hash) {
      const received = `those of ${laws.graph}, ${laws.hash}`
      return yield* bad(`laws of the graph ${hash}`, received, "check the laws of the graph as it was run")
    }
    const strange = laws.laws.find(
      ({ verdict, counterexample }) => (verdict === "broken") !== (counterexample !== null),
    )
    if (strange === undefined) return laws
    return yield* bad(
      "a counterexample where a law is broken alone",
      `${strange.node}: ${strange.law}`,
      "check it again",
    )
  })

/** How many laws got each verdict. */
export const verdictsOf = ({ laws }: CheckedLaws): Readonly<Record<CheckedLaw["verdict"], number>> => {
  const count = (verdict: CheckedLaw["verdict"]): number => laws.filter((law) => law.verdict === verdict).length
  return { holds: count("holds"), broken: count("broken"), untried: count("untried") }
}

/** `212 hold, 3 untried; up to 10 examples of each, from seed 7` */
export const verdictText = (laws: CheckedLaws): string => {
  const { holds, broken, untried } = verdictsOf(laws)
  const told = [
    ...(broken > 0 ? [`${broken} BROKEN`] : []),
    `${holds} hold`,
    ...(untried > 0 ? [`${untried} untried`] : []),
  ].join(", ")
  const left = laws.without?.length ?? 0
  return laws.laws.length === 0
    ? "none: no node of tensors is known before a run"
    : `${told}; up to ${laws.runs} examples of each, from seed ${laws.seed}${left === 0 ? "" : `; ${left} nodes left out`}`
}
