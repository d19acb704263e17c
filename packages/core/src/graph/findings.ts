/** What several checks of one graph found, as the fields of one error. */
import type { Failure } from "../errors.js"
import { lines } from "./lines.js"

export interface Finding {
  /** `node > port`, within the graph. */
  readonly at: string
  readonly expected: string
  readonly received: string
  readonly fix: string
}

/** One finding is told in its place; of several, each line says where. */
export const failureOf = (name: string, found: ReadonlyArray<Finding>): Failure => {
  const [first, ...more] = found
  if (first !== undefined && more.length === 0) {
    const { at, ...fields } = first
    return { where: `${name} > ${at}`, ...fields }
  }
  const all = (field: "expected" | "received" | "fix"): string =>
    lines(found.flatMap((finding) => finding[field].split("\n").map((line) => `${finding.at}: ${line}`)))
  return { where: name, expected: all("expected"), received: all("received"), fix: all("fix") }
}
