/** Captioned images of an embedded set to evaluate on: each with its first caption. */
import type { HostTensor } from "@millrace/core"
import { takeRows } from "@millrace/models"
import type { EmbeddedSet } from "../artifacts/embeddings.js"

export interface Picked {
  /** By their place among the embedded. */
  readonly rows: ReadonlyArray<number>
  readonly captions: ReadonlyArray<string>
  /** float32  n c */
  readonly text: HostTensor
  readonly image: HostTensor
}

/** So many images, evenly from all of the set; all where there are no more. */
export const pickCaptions = (set: EmbeddedSet, wanted: number): Picked => {
  const all = set.indices.length
  const n = Math.min(wanted, all)
  const rows = Array.from({ length: n }, (_, i) => Math.floor((i * all) / n))
  const firsts = rows.map((row) => set.first[row]!)
  return {
    rows,
    captions: firsts.map((at) => set.captions[at]!),
    text: takeRows(set.text, firsts),
    image: takeRows(set.image, rows),
  }
}
