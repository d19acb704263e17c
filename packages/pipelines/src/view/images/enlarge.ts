/** A grid's PNG as a terminal shows it: tiles large enough to see, with gaps between them. */
import { decode } from "fast-png"

/** Four bytes a pixel: red, green, blue, and how opaque it is. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

export interface Room {
  /** Pixels that the picture may take. */
  readonly width: number
  readonly height: number
}

interface Tiles {
  /** Rows and columns of pixels of a tile. */
  readonly size: readonly [y: number, x: number]
  readonly columns: number
  readonly count: number
}

/** Pixels that a tile is enlarged to at most. */
const large = 96
/** Transparent pixels between tiles. */
const gap = 4

/**
 * Repeats every pixel a whole number of times while that fits, and takes the mean of squares of pixels where the tiles are
 * too large even as they are. Undefined where the PNG is not the grid that it should be.
 */
export const enlarge = (png: Uint8Array, { size, columns, count }: Tiles, room: Room): Picture | undefined => {
  const sheet = decode(png)
  const [height, width] = size
  const rows = Math.ceil(count / columns)
  const { channels, depth, data } = sheet
  if (sheet.width !== columns * width || sheet.height !== rows * height || channels < 3 || depth !== 8) return undefined
  const across = (room.width - gap * (columns - 1)) / columns
  const down = (room.height - gap * (rows - 1)) / rows
  const up = Math.max(1, Math.floor(Math.min(large / Math.max(width, height), across / width, down / height)))
  const by = up > 1 ? 1 : Math.max(1, Math.min(width, height, Math.ceil(width / Math.max(1, across))))
  const [tall, wide] = [Math.floor(height / by) * up, Math.floor(width / by) * up]
  const picture = { width: columns * (wide + gap) - gap, height: rows * (tall + gap) - gap }
  const out = new Uint8Array(picture.width * picture.height * 4)
  const mean = (top: number, left: number, channel: number): number => {
    let sum = 0
    for (let y = 0; y < by; y++) {
      for (let x = 0; x < by; x++) sum += data[((top + y) * sheet.width + left + x) * channels + channel] ?? 0
    }
    return Math.round(sum / (by * by))
  }
  for (let tile = 0; tile < count; tile++) {
    const [row, column] = [Math.floor(tile / columns), tile % columns]
    for (let y = 0; y < tall; y++) {
      for (let x = 0; x < wide; x++) {
        const at = ((row * (tall + gap) + y) * picture.width + column * (wide + gap) + x) * 4
        const [top, left] = [row * height + Math.floor(y / up) * by, column * width + Math.floor(x / up) * by]
        for (let channel = 0; channel < 3; channel++) out[at + channel] = mean(top, left, channel)
        out[at + 3] = 255
      }
    }
  }
  return { ...picture, data: out }
}
