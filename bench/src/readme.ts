/** Writes the tables of the last results between two markers of the README. */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readmeTables } from "./report.js"
import { readResults } from "./results.js"

const begin = "<!-- written by `npm run bench -- --readme` -->"
const end = "<!-- end -->"
const file = fileURLToPath(new URL("../../README.md", import.meta.url))

/** Throws where there are no results, or no markers. */
export const writeReadme = (): void => {
  const results = readResults()
  if (results === null) throw new Error("no results: run `npm run bench` first")
  const text = readFileSync(file, "utf8")
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md needs the lines ${begin} and ${end}`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${readmeTables(results)}\n${text.slice(to)}`)
}
