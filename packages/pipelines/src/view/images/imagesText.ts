/** A grid of images as lines for a terminal: drawn, with its names and captions in words. */
import { type Images, printable } from "@millrace/core"
import { encode } from "fast-png"
import { wrap } from "../samplesText.js"
import { enlarge, type Picture } from "./enlarge.js"
import type { ImageProtocol } from "./imageProtocol.js"
import { iterm } from "./iterm.js"
import { kitty } from "./kitty.js"
import { sixel } from "./sixel.js"

/** Pixels of a column of text: what a terminal has at least, so that a picture made for it is never too wide. */
const cellWidth = 8
const tallest = 480
const indent = "  "
const mostCaptions = 12

const drawn = (picture: Picture, protocol: "kitty" | "iterm" | "sixel"): string => {
  if (protocol === "sixel") return sixel(picture)
  const cells = Math.max(1, Math.ceil(picture.width / cellWidth))
  const png = encode({ ...picture, channels: 4, depth: 8 })
  return protocol === "kitty" ? kitty(png, cells) : iterm(png, cells)
}

/** One line of words for each row of tiles. */
const captions = ({ texts, columns, rowNames, columnNames }: Images, width: number): ReadonlyArray<string> => {
  const head = columnNames.length === 0 ? [] : [columnNames.join(" · ")]
  const rows = Array.from({ length: Math.ceil(texts.length / columns) }, (_, row) => {
    const words = texts.slice(row * columns, (row + 1) * columns)
    const joined = words.every((text) => text === "") ? "" : words.map((text) => text || "–").join(" · ")
    return [rowNames[row] ?? "", joined].filter((part) => part !== "").join(": ")
  })
  const lines = [...head, ...rows.filter((line) => line !== "")].flatMap((line) =>
    wrap(printable(line).replaceAll("\n", " "), Math.max(20, width - indent.length)),
  )
  const rest = lines.length > mostCaptions ? [`and ${lines.length - mostCaptions} more lines in the report`] : []
  return [...lines.slice(0, mostCaptions), ...rest].map((line) => indent + line)
}

/**
 * Lines that show a grid. An escape code that draws is one of them: what is written after it begins on a line of its own.
 * @param png    the grid's file
 * @param width  columns of the terminal
 * @returns undefined where the file is not what the grid says; its path is all there is to tell then
 */
export const imagesText = (
  grid: Images,
  png: Uint8Array,
  protocol: Exclude<ImageProtocol, "path" | "off">,
  width: number,
): ReadonlyArray<string> | undefined => {
  const room = { width: (width - indent.length) * cellWidth, height: tallest }
  const { size, columns, texts, title, step } = grid
  const picture = enlarge(png, { size, columns, count: texts.length }, room)
  if (picture === undefined) return undefined
  const name = step === 0 ? title : `${title} after step ${step.toLocaleString("en-US")}`
  return [
    "",
    indent + printable(name).replaceAll("\n", " "),
    indent + drawn(picture, protocol),
    ...captions(grid, width),
    "",
  ]
}
