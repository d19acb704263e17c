/** One grid of images as HTML: a table of tiles with their captions, its PNG inside the page. */
import { Buffer } from "node:buffer"
import { type Html, html, trusted } from "./html.js"
import { showColumn, showNumber } from "./number.js"
import type { Images } from "./pictures.js"

/** More tiles than this are one picture without captions. */
const mostTiles = 400
const longestText = 160
/** CSS pixels: a tile at most, a row of tiles where that leaves a tile its own pixels, and what a row has besides. */
const widestTile = 128
const widestRow = 1060
const nameRoom = 150
const gap = 8
/** Tiles that are narrower stand close together, and numbers below them are told one by one. */
const narrow = 44

const cut = (text: string): string => (text.length <= longestText ? text : `${text.slice(0, longestText)} …`)

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

export const isPng = (bytes: Uint8Array): boolean => signature.every((byte, i) => bytes[i] === byte)

/** CSS pixels of a tile: whole ones for each pixel where there is room, for then no pixel is wider than another. */
const shownSize = ([height, width]: readonly [number, number], room: number): readonly [number, number] => {
  const whole = Math.floor(room / Math.max(width, height))
  const scale = whole >= 1 ? whole : Math.min(1, Math.max(room, widestTile) / Math.max(width, height))
  return [Math.round(height * scale), Math.round(width * scale)]
}

/** Strength of a cell's colour, in tenths of the way from the least number to the greatest. */
const shades = (numbers: NonNullable<Images["numbers"]>) => {
  const finite = numbers.flatMap(({ values }) => values).filter(Number.isFinite)
  const least = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const most = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return (value: number): number =>
    Number.isFinite(value) && most > least ? Math.round((10 * (value - least)) / (most - least)) : 0
}

const positive = (value: number): number => (Number.isFinite(value) && value >= 1 ? Math.floor(value) : 1)

export interface GridParts {
  readonly grid: Images
  /** The PNG; none where it is not in the page. */
  readonly png: Uint8Array | undefined
  /** For the ids inside: no other grid of the page has it. */
  readonly id: string
  readonly label: string
}

/** Numbers below the tiles, a row each: coloured by their size, told in full for the one that is pointed at. */
const numberRows = (numbers: NonNullable<Images["numbers"]>, tiles: number, wide: boolean): ReadonlyArray<Html> => {
  const shade = shades(numbers)
  return numbers.map(({ name, values }) => {
    const shown = values.slice(0, tiles)
    const texts = showColumn(shown)
    return html`<tr class="numbers"><th scope="row">${cut(name)}</th>${shown.map(
      (value, i) =>
        html`<td class="${trusted(`s${shade(value)}`)}" title="${showNumber(value)}"><span${wide ? undefined : html` class="small"`}>${texts[i]}</span></td>`,
    )}</tr>`
  })
}

export const imageGrid = ({ grid, png, id, label }: GridParts): Html => {
  const [height, width] = [positive(grid.size[0]), positive(grid.size[1])]
  const columns = positive(grid.columns)
  const count = grid.texts.length
  const rows = Math.max(1, Math.ceil(count / columns))
  const [across, down] = [columns * width, rows * height]
  const path = html`<p class="more">${grid.file}</p>`
  if (png === undefined || !isPng(png)) return path
  const smooth = width > widestTile || height > widestTile
  const data = trusted(`data:image/png;base64,${Buffer.from(png).toString("base64")}`)
  const sheet = html`<svg class="sheet" width="0" height="0" aria-hidden="true"><image id="${id}"${smooth ? undefined : html` class="crisp"`} width="${across}" height="${down}" href="${data}"/></svg>`
  if (count > mostTiles) {
    const [tall, wide] = shownSize([down, across], widestRow)
    return html`${sheet}<div class="scroll" tabindex="0" role="group" aria-label="${label}"><svg width="${wide}" height="${tall}" viewBox="0 0 ${across} ${down}" role="img" aria-label="${label}: ${count} images"><use href="#${id}"/></svg></div>${path}`
  }
  const named = grid.rowNames.length > 0 || grid.numbers !== undefined
  const room = (widestRow - (named ? nameRoom : 0)) / columns
  const [tall, wide] = shownSize([height, width], Math.min(widestTile, room - (room < narrow ? 1 : gap)))
  const tile = (text: string, place: number): Html => {
    const [row, column] = [Math.floor(place / columns), place % columns]
    const alt = [grid.rowNames[row], grid.columnNames[column], text].filter((part) => part !== undefined && part !== "")
    const name = alt.length === 0 ? `image ${place + 1} of ${count}` : cut(alt.join(", "))
    return html`<td><svg width="${wide}" height="${tall}" viewBox="${column * width} ${row * height} ${width} ${height}" role="img" aria-label="${name}"><use href="#${id}"/></svg>${
      text === "" ? undefined : html`<p aria-hidden="true">${cut(text)}</p>`
    }</td>`
  }
  const head =
    grid.columnNames.length === 0
      ? undefined
      : html`<thead><tr>${named ? html`<td></td>` : undefined}${grid.columnNames.slice(0, columns).map((name) => html`<th scope="col">${cut(name)}</th>`)}</tr></thead>`
  const body = Array.from({ length: rows }, (_, row) => {
    const texts = grid.texts.slice(row * columns, (row + 1) * columns)
    const name = named ? html`<th scope="row">${cut(grid.rowNames[row] ?? "")}</th>` : undefined
    return html`<tr>${name}${texts.map((text, i) => tile(text, row * columns + i))}</tr>`
  })
  // Numbers belong below their tiles, which takes tiles in one row.
  const numbers = grid.numbers !== undefined && rows === 1 ? numberRows(grid.numbers, count, wide >= narrow) : []
  return html`${sheet}<div class="scroll" tabindex="0" role="group" aria-label="${label}"><table class="grid${wide < narrow ? " close" : ""}">
${head}<tbody>${body}${numbers}</tbody></table></div>${
    numbers.length === 0 ? undefined : html`<p class="more"><output>The arrow keys go through the numbers.</output></p>`
  }${path}`
}
