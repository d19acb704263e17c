/** A data set drawn here by plain loops: a coloured square on white, its place and colour in its caption and facts. */
import type { CaptionedImage, CaptionedImages, ImageSet } from "@millrace/pipelines"
import { Effect } from "effect"

const colours = { red: [220, 40, 40], green: [40, 170, 60], blue: [50, 80, 220], yellow: [230, 200, 40] } as const
const places = { left: 0, right: 1 } as const
const kinds = Object.keys(colours).flatMap((colour) =>
  Object.keys(places).map(
    (place) => ({ colour, place }) as { colour: keyof typeof colours; place: keyof typeof places },
  ),
)

const patchAt = (index: number, size: number): CaptionedImage => {
  const { colour, place } = kinds[index % kinds.length]!
  const pixels = new Uint8Array(size * size * 3).fill(245)
  const side = size / 2
  const [top, left] = [Math.floor(index / kinds.length) % (side + 1), places[place] * side]
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) pixels.set(colours[colour], ((top + y) * size + left + x) * 3)
  }
  return {
    name: `patch ${index}`,
    pixels,
    captions: [`${colour} on the ${place}`, `a ${colour} square on the ${place}`],
    facts: { colour, place },
  }
}

const patchSet = (from: number, count: number, size: number): ImageSet => ({
  count,
  classes: [],
  read: (indices) => Effect.succeed(indices.map((i) => patchAt(from + i, size))),
  digest: `patches ${from} ${count} ${size}`,
})

/** 64 images to learn from, and 16 held out. */
export const patchImages = (size = 8): CaptionedImages => ({
  source: "drawn by a test",
  size,
  train: patchSet(0, 64, size),
  heldOut: patchSet(64, 16, size),
})
