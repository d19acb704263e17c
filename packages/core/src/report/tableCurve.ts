/** A table that is a curve, as the data that the report draws. */
import type { CurveData } from "./stageSection.js"
import type { Table } from "./story.js"

/** Columns of numbers over a column of numbers, sorted by it; undefined where the table names none or they are none. */
export const tableCurve = ({ columns, rows, curve }: Table): CurveData | undefined => {
  const at = curve === undefined ? -1 : columns.indexOf(curve.x)
  if (curve === undefined || at < 0) return undefined
  const x = (row: Table["rows"][number]): number => Number(row[at])
  const sorted = rows
    .filter((row) => typeof row[at] === "number" && Number.isFinite(x(row)))
    .toSorted((a, b) => x(a) - x(b))
  if (sorted.length < 2) return undefined
  const lines = curve.y.flatMap((name) => {
    const column = columns.indexOf(name)
    const values = sorted
      .map((row) => row[column])
      .map((cell) => (typeof cell === "number" && Number.isFinite(cell) ? cell : null))
    return values.some((value) => value !== null) ? [[name, values] as const] : []
  })
  return lines.length === 0 ? undefined : { x: curve.x, steps: sorted.map(x), values: Object.fromEntries(lines) }
}
