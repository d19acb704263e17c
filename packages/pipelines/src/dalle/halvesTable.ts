/** Whether a judge tells what is in one half of an image whatever is in the other, as it must to judge images of two things. */
import type { EngineError } from "@millrace/core"
import { Effect } from "effect"
import type { ImageSet } from "../artifacts/captionedImages.js"
import type { Table } from "../artifacts/evaluation.js"
import type { Judge, Verdict } from "../artifacts/judge.js"
import { share, shownShare } from "../share.js"
import { spread } from "../spread.js"

/** How the first of two things lies to the second where a line parts them, upright or level. */
const partings = ["left", "above"] as const

/**
 * The half of `first` where the first of two things is, beside the other half of `second`.
 * @param first   y x c, `size` rows and columns
 * @param second  likewise
 */
export const joinHalves = (
  first: Uint8Array,
  second: Uint8Array,
  size: number,
  parting: (typeof partings)[number],
): Uint8Array => {
  const middle = Math.floor(size / 2)
  return first.map((value, at) => {
    const pixel = Math.floor(at / 3)
    const along = parting === "left" ? pixel % size : Math.floor(pixel / size)
    return along < middle ? value : second[at]!
  })
}

/**
 * Images of two things among `count` of a set, each joined with the next that lies likewise; undefined where there are none.
 * @param tell  the judge, opened
 */
export const halvesTable = (
  judge: Judge,
  tell: (images: ReadonlyArray<Uint8Array>) => Effect.Effect<ReadonlyArray<Verdict>, EngineError>,
  set: ImageSet,
  size: number,
  count: number,
) =>
  Effect.gen(function* () {
    const rows = yield* set.read(spread(set.count, count))
    const known = rows.map(({ pixels, facts = {} }) => ({ pixels, facts: judge.expected(facts) }))
    const joined = partings.flatMap((parting) => {
      const some = known.filter(({ facts }) => facts.relation === parting)
      return some.slice(1).map((second, i) => {
        const first = some[i]!
        const { colour, object } = first.facts
        return {
          pixels: joinHalves(first.pixels, second.pixels, size, parting),
          facts: { ...second.facts, colour, object } as Verdict,
        }
      })
    })
    if (joined.length === 0) return undefined
    const verdicts = yield* tell(joined.map(({ pixels }) => pixels))
    const row = (name: string, asked: ReadonlyArray<string>) => {
      const right = joined.filter(({ facts }, i) => asked.every((fact) => facts[fact] === verdicts[i]![fact]))
      return [name, joined.length, shownShare(share(right.length, joined.length))]
    }
    const table: Table = {
      title: `The judge on ${joined.length} pictures joined from halves of different training images`,
      columns: ["right", "images", "share"],
      rows: [
        row("the left or upper one, object and colour", ["colour", "object"]),
        row("the right or lower one, object and colour", ["colour2", "object2"]),
        row("both, and how they lie", ["relation", "colour", "object", "colour2", "object2"]),
      ],
    }
    return table
  })
