/** What was found against each oracle, as Markdown: the table in packages/models/README.md. */
import { lawsOf } from "./lawsOf.js"
import type { Difference, Parity, ParityModel } from "./parity.js"

export interface Row {
  readonly model: ParityModel
  readonly found: ReadonlyArray<Parity>
}

const worst = (of: ReadonlyArray<Difference>): number => of.reduce((top, { value }) => Math.max(top, value), 0)

/** Rounded up to one digit, so that another machine's last bits do not change the table. */
const atMost = (value: number): string => {
  if (value === 0) return "0"
  const power = Math.floor(Math.log10(value))
  const digit = Math.ceil(value / 10 ** power)
  return digit === 10 ? `1e${power + 1}` : `${digit}e${power}`
}

/** As Markdown's headings are addressed. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-")

const cells = ({ model, found }: Row): ReadonlyArray<string> => [
  model.model,
  model.paper,
  model.figure,
  `[\`${model.file}\`](src/${model.file})`,
  [...new Set(found.map(({ oracle }) => oracle.replace(/\+cu\d+/g, "")))].join("; "),
  atMost(worst(found.map(({ outputs }) => outputs))),
  atMost(worst(found.map(({ gradients }) => gradients))),
  lawsOf[model.model]?.map((subject) => `[${subject}](../../docs/laws.md#${anchor(subject)})`).join(", ") ?? "",
]

const columns = ["model", "paper", "figure", "file", "oracle", "outputs differ by", "gradients differ by", "laws"]
const line = (row: ReadonlyArray<string>): string => `| ${row.join(" | ")} |`

export const parityTable = (rows: ReadonlyArray<Row>): string =>
  [line(columns), line(columns.map(() => "---")), ...rows.map((row) => line(cells(row)))].join("\n")

/** The table without its figures, which differ a little between machines and are held to the tolerances by their tests. */
export const withoutFigures = (table: string): string => table.replaceAll(/\b\d(?:e-?\d+)?(?= \|)/g, "#")
