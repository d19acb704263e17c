/** A smooth random displacement: what makes a drawing look drawn again, its parts moved and sized a little each by itself. */
import { type Key, random } from "@millrace/core"

/** Knots each way; between them the displacement is mixed from the four around. */
const KNOTS = 4

/**
 * How far each place of a square image is moved, each way.
 * @param most  the largest move either way, in pixels
 * @returns     the moves to the right and down, y x each
 * @law         no move is larger than `most`
 */
export const warpOf = (key: Key, size: number, most: number): readonly [right: Float32Array, down: Float32Array] => {
  const draws = random.uniform(key, [2, KNOTS, KNOTS]).data
  const step = size > 1 ? (KNOTS - 1) / (size - 1) : 0
  const field = (from: number): Float32Array => {
    const moves = new Float32Array(size * size)
    for (let y = 0; y < size; y++) {
      const row = Math.min(KNOTS - 2, Math.floor(y * step))
      const ty = y * step - row
      for (let x = 0; x < size; x++) {
        const column = Math.min(KNOTS - 2, Math.floor(x * step))
        const tx = x * step - column
        const at = from + row * KNOTS + column
        const above = draws[at]! + (draws[at + 1]! - draws[at]!) * tx
        const under = draws[at + KNOTS]! + (draws[at + KNOTS + 1]! - draws[at + KNOTS]!) * tx
        moves[y * size + x] = (2 * (above + (under - above) * ty) - 1) * most
      }
    }
    return moves
  }
  return [field(0), field(KNOTS * KNOTS)]
}
