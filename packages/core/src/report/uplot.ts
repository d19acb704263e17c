/** uPlot's own files, to be put inside a report, with the licence that asks to travel with them. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const folder = (): string => {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve("uplot")), "..")
}

/** Script and style of uPlot. Addresses are taken out of its comments: a report names no place in the network. */
export const uplot = (): { readonly script: string; readonly style: string } => {
  const root = folder()
  const read = (...path: ReadonlyArray<string>): string => readFileSync(join(root, ...path), "utf8")
  const licence = read("LICENSE").replaceAll("*/", "* /")
  return {
    script: `/* uPlot\n${licence}*/\n${read("dist", "uPlot.iife.min.js").replace(/^\/\*!.*?\*\/\n?/s, "")}`,
    style: read("dist", "uPlot.min.css"),
  }
}
