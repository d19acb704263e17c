/** Why two keys of a stage differ, in words. */
import { canonicalJson } from "../json.js"
import type { KeyParts } from "./stageKey.js"

/** A value on one short line. */
export const excerpt = (value: unknown): string => {
  const text = value === undefined ? "nothing" : canonicalJson(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Names such as `valueOf` are inherited by every record. */
const own = <A>(record: Readonly<Record<string, A>>, name: string): A | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

/** A value in two JSON documents that is not the same in both; undefined where one does not have it. */
export interface Change {
  /** `fit.steps` */
  readonly path: string
  readonly before: unknown
  readonly now: unknown
}

/** Where two JSON values differ, each record gone into. */
export const changes = (before: unknown, now: unknown, path: string): ReadonlyArray<Change> => {
  if (isRecord(before) && isRecord(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])]
      .sort()
      .flatMap((name) => changes(own(before, name), own(now, name), path === "" ? name : `${path}.${name}`))
  }
  const [a, b] = [before, now].map((value) => (value === undefined ? undefined : canonicalJson(value)))
  return a === b ? [] : [{ path, before, now }]
}

/** Where two JSON values differ: `["fit.steps: 200 → 300"]`. */
export const differences = (before: unknown, now: unknown, path: string): ReadonlyArray<string> =>
  changes(before, now, path).map((change) => `${change.path}: ${excerpt(change.before)} → ${excerpt(change.now)}`)

/** What differs between the parts of two keys of one stage, one a line. */
export const whatChanged = (before: KeyParts, now: KeyParts): ReadonlyArray<string> => [
  ...(before.node === now.node ? [] : [`node: ${before.node} → ${now.node}`]),
  ...(before.code === now.code ? [] : ["code: the text of the stage's `run` is another"]),
  ...differences(before.config, now.config, "config"),
  ...[...new Set([...Object.keys(before.inputs), ...Object.keys(now.inputs)])].sort().flatMap((port) => {
    const [a, b] = [own(before.inputs, port), own(now.inputs, port)]
    return a === b ? [] : [`input ${port}: ${a?.slice(0, 12) ?? "none"} → ${b?.slice(0, 12) ?? "none"}`]
  }),
  ...(before.random === now.random ? [] : ["seed: another one"]),
  ...(["engine", "instructions", "millrace"] as const).flatMap((part) =>
    before[part] === now[part] ? [] : [`${part}: ${before[part]} → ${now[part]}`],
  ),
]
