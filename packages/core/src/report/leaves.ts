/** A config, or facts, as one row a leaf; the names are those that `--set` takes. */
import { canonicalJson } from "../json.js"

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const write = (value: unknown): string => {
  if (typeof value === "string") return value
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.map(String).join(", ")
  if (typeof value === "object" && value !== null) return canonicalJson(value)
  return String(value)
}

/** `{ fit: { steps: 40 }, batch: 8 }` -> `fit.steps 40`, `batch 8` */
export const leaves = (value: unknown, path = "", joint = "."): ReadonlyArray<readonly [string, string]> => {
  const inside = isRecord(value) ? Object.entries(value) : []
  return inside.length === 0
    ? [[path, write(value)]]
    : inside.flatMap(([name, item]) => leaves(item, path === "" ? name : `${path}${joint}${name}`, joint))
}
