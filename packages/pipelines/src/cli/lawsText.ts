/** What came of laws, as text: what `millrace laws` prints. */
import { textTable } from "@millrace/core"
import type { Trial } from "@millrace/core/laws"

export type Verdict = "holds" | "broken" | "untried"

export interface LawRow extends Trial {
  readonly node: string
  readonly places: ReadonlyArray<string>
  readonly law: string
  /** `ports`: it holds for every node with such ports. `own`: the node carries it. */
  readonly of: "ports" | "own"
  readonly verdict: Verdict
}

const shown = { holds: "✓ holds", broken: "✗ BROKEN", untried: "– untried: no example fits" } as const

const place = ([first = "", ...others]: ReadonlyArray<string>): string =>
  others.length === 0 ? first : `${first} and ${others.length} more`

export const lawsText = (name: string, rows: ReadonlyArray<LawRow>): string => {
  let last = ""
  return textTable({
    title: `Laws of ${name}`,
    columns: ["node", "type", "verdict", "examples", "law"],
    rows: rows.map(({ node, places, law, verdict, runs }) => {
      const key = `${node} ${places.join()}`
      const again = key === last
      last = key
      return [again ? "" : place(places), again ? "" : node, shown[verdict], runs, law]
    }),
  })
}
