/** Images that a stage shows while it runs: one PNG in the run folder, and an event that says where it is. */
import { Stage } from "@millrace/core"
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
  /** Grids of one title are one picture over time. */
  readonly title: string
  /** The step after which it was made; none where the stage has no steps. */
  readonly step?: number
  /** Rows and columns of pixels of each tile. */
  readonly size: readonly [y: number, x: number]
  readonly columns: number
  /** Row by row. */
  readonly tiles: ReadonlyArray<Tile>
  /** What stands above each column, and before each row. */
  readonly columnNames?: ReadonlyArray<string>
  readonly rowNames?: ReadonlyArray<string>
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

/** Shows a grid of images: in the terminal where it can, and in the report. */
export const showImages = (grid: ImageGrid): Effect.Effect<void, never, Stage> =>
  Effect.gen(function* () {
    const { emit, keep } = yield* Stage
    const { title, step = 0, size, columns, tiles, columnNames, rowNames } = grid
    const name = step === 0 ? title : `${title} after step ${step}`
    yield* keep(name, { "grid.png": encode(together(grid)) })
    yield* emit({
      type: "stage.images",
      title,
      step,
      file: { name, path: "grid.png" },
      size,
      columns,
      texts: tiles.map(({ text = "" }) => text),
      columnNames: columnNames ?? [],
      rowNames: rowNames ?? [],
    })
  })
