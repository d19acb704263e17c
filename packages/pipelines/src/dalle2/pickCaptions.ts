/** Captioned images of an embedded set to evaluate on: each with its first caption. */
import type { HostTensor } from "@millrace/core"
import { takeRows } from "@millrace/models"
import type { EmbeddedSet } from "../artifacts/embeddings.js"
import { spread } from "../spread.js"

export interface Picked {
  /** By their place among the embedded. */
  readonly rows: ReadonlyArray<number>
  readonly captions: ReadonlyArray<string>
  /** float32  n c */
  readonly text: HostTensor
  readonly image: HostTensor
}

const pickedOf = (set: EmbeddedSet, rows: ReadonlyArray<number>): Picked => {
  const firsts = rows.map((row) => set.first[row]!)
  return {
    rows,
    captions: firsts.map((at) => set.captions[at]!),
    text: takeRows(set.text, firsts),
    image: takeRows(set.image, rows),
  }
}

/** So many images, evenly from all of the set. */
export const pickImages = (set: EmbeddedSet, wanted: number): Picked =>
  pickedOf(set, spread(set.indices.length, wanted))

/** So many captions, no two of them the same, evenly from all of the set, each with the first image that it is of. */
export const pickCaptions = (set: EmbeddedSet, wanted: number): Picked => {
  const rows = new Map<string, number>()
  for (let row = 0; row < set.indices.length; row++) {
    const caption = set.captions[set.first[row]!]!
    if (!rows.has(caption)) rows.set(caption, row)
  }
  const firsts = [...rows.values()]
  return pickedOf(
    set,
    spread(firsts.length, wanted).map((at) => firsts[at]!),
  )
}
