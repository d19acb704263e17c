/** Images that a stage shows while it runs: one PNG in the run folder, and an event that says where it is. */
import { BadData, keptPath, Stage } from "@millrace/core"
import { Effect } from "effect"
import { encode } from "fast-png"

/** One image of a grid. */
export interface Tile {
  /** y x c, c red, green, blue. */
  readonly pixels: Uint8Array
  /** What stands below it: a caption, a score. */
  readonly text?: string
}

export interface ImageGrid {
  /** Grids of one title are one picture over time: the report goes through them step by step. */
  readonly title: string
  /** The step after which it was made, 0 before the first; none where the stage has no steps. */
  readonly step?: number
  /** Rows and columns of pixels of each tile. */
  readonly size: readonly [y: number, x: number]
  readonly columns: number
  /** Row by row. */
  readonly tiles: ReadonlyArray<Tile>
  /** What stands above each column, and before each row. */
  readonly columnNames?: ReadonlyArray<string>
  readonly rowNames?: ReadonlyArray<string>
  /**
   * Rows of numbers below tiles that stand in one row (`columns` is their count), one number a tile: how similar each
   * image is to each caption.
   */
  readonly numbers?: ReadonlyArray<{ readonly name: string; readonly values: ReadonlyArray<number> }>
}

/** What is wrong with a grid, or undefined. */
const mistake = ({ size: [height, width], columns, tiles, numbers = [] }: ImageGrid): string | undefined => {
  const bytes = height * width * 3
  const odd = tiles.findIndex(({ pixels }) => pixels.length !== bytes)
  if (tiles.length === 0) return "no tiles"
  if (!Number.isSafeInteger(columns) || columns < 1) return `${columns} columns`
  if (odd >= 0) return `tile ${odd} of ${tiles[odd]?.pixels.length} bytes, where ${height} x ${width} x 3 are ${bytes}`
  const uneven = numbers.find(({ values }) => values.length !== tiles.length)
  return uneven && `${uneven.values.length} numbers of "${uneven.name}" for ${tiles.length} tiles`
}

/** The tiles side by side, without gaps. y x c */
const together = ({ size: [height, width], columns, tiles }: ImageGrid) => {
  const rows = Math.ceil(tiles.length / columns)
  const data = new Uint8Array(rows * height * columns * width * 3).fill(255)
  for (const [i, { pixels }] of tiles.entries()) {
    const [top, left] = [Math.floor(i / columns) * height, (i % columns) * width]
    for (let y = 0; y < height; y++) {
      const row = pixels.subarray(y * width * 3, (y + 1) * width * 3)
      data.set(row, ((top + y) * columns * width + left) * 3)
    }
  }
  return { width: columns * width, height: rows * height, data, channels: 3 as const }
}

/**
 * Shows a grid of images: in the terminal where it can, and in the report. The PNG is
 * `images/<stage>/<title>/<step>.png` of the run folder, and part of no digest.
 * A grid whose tiles do not fit its size is a mistake of the stage, and ends it.
 */
export const showImages = (grid: ImageGrid): Effect.Effect<void, never, Stage> =>
  Effect.gen(function* () {
    const { name: stage, emit, keep } = yield* Stage
    const { title, step, size, columns, tiles, columnNames = [], rowNames = [], numbers } = grid
    const wrong = mistake(grid)
    if (wrong !== undefined) {
      return yield* Effect.die(
        new BadData({
          where: `${stage} > ${title}`,
          expected: "tiles of the grid's size, in one column at least, with as many numbers as tiles",
          received: wrong,
          fix: "give every tile as y x c bytes, three a pixel",
        }),
      )
    }
    const file = step === undefined ? "grid.png" : `${String(step).padStart(6, "0")}.png`
    const folder = "images" as const
    yield* keep(title, { [file]: encode(together(grid)) }, folder)
    yield* emit({
      type: "stage.images",
      title,
      step: step ?? 0,
      file: keptPath({ stage, name: title, folder }, file),
      size,
      columns,
      texts: tiles.map(({ text = "" }) => text),
      columnNames,
      rowNames,
      ...(numbers !== undefined && { numbers }),
    })
  })
