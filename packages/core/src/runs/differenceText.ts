import { printable } from "../report/textTable.js"
import { excerpt } from "../store/whatChanged.js"
import type { RunDifference } from "./diffRuns.js"

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/** A value on one short line that a terminal only shows; a dash for none. */
export const valueText = (value: unknown): string => (value === undefined ? "–" : printable(excerpt(value)))

const causeText = ({ run, graph, environment }: RunDifference): string => {
  const causes = [...run, ...graph]
  const [only] = causes
  if (only === undefined) {
    return environment.length === 0
      ? "Nothing that decides a run differs"
      : `Graph, seed and engine are the same; ${counted(environment.length, "fact")} of versions and machine differ`
  }
  return causes.length === 1
    ? `They differ in ${only.what} alone: ${valueText(only.a)} in A, ${valueText(only.b)} in B`
    : `They differ in ${counted(causes.length, "value")}`
}

/** What a reader of two runs wants to know first: which number it is, and how far it reaches. Two sentences, each on a line. */
export const differenceText = (difference: RunDifference): string => {
  const { stages, metrics } = difference
  const different = stages.filter(({ verdict }) => verdict === "different")
  const open = stages.filter(({ verdict }) => verdict === "open").length
  const compared = stages.length - open
  const effect =
    compared === 0
      ? "No stage ended in both"
      : different.length === 0
        ? `No digest differs in ${counted(compared, "stage")}`
        : `${different.length} of ${counted(compared, "stage")} made something else, first ${different[0]!.stage}`
  const left = open === 0 ? "" : `; ${counted(open, "stage")} did not end in both`
  const numbers = `${counted(metrics.length, "number")} differ${metrics.length === 1 ? "s" : ""}`
  return `${causeText(difference)}.\n${effect}${left}; ${numbers}.`
}
