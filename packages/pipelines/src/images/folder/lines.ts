/** The lines of a file with their places, read piece by piece: what is in memory is one piece and the line at hand. */
import { createReadStream } from "node:fs"

export interface Line {
  /** In bytes from the file's beginning. */
  readonly offset: number
  readonly bytes: Uint8Array
  /** The first is 1. */
  readonly number: number
}

/** Longer lines are cut here, so that a file without line ends costs no memory: what is cut is no JSON any more. */
export const LONGEST_LINE = 1 << 20

export const linesOf = async function* (file: string): AsyncGenerator<Line> {
  let rest: Uint8Array = new Uint8Array(0)
  let start = 0
  let number = 1
  let at = 0
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
      yield { offset: start, bytes: Buffer.concat([rest, piece.subarray(from, end)]), number: number++ }
      rest = new Uint8Array(0)
      from = end + 1
      start = at + from
    }
    if (rest.length < LONGEST_LINE) rest = Buffer.concat([rest, piece.subarray(from)])
    at += piece.length
  }
  if (rest.length > 0) yield { offset: start, bytes: rest, number }
}
