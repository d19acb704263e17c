/** A data set drawn here by plain loops: a coloured square on white, a door on the left or a window on the right. */
import { artifact, defineStageNode } from "@millrace/core"
import { type CaptionedImage, type CaptionedImages, captionedImagesKind, type ImageSet } from "@millrace/pipelines"
import { Effect, Schema } from "effect"

const colours = { red: [220, 40, 40], green: [40, 170, 60], blue: [50, 80, 220], yellow: [230, 200, 40] } as const
/** Where each stands: halves of the image from the left. */
const objects = { door: 0, window: 1 } as const
const kinds = Object.keys(colours).flatMap((colour) =>
  Object.keys(objects).map(
    (object) => ({ colour, object }) as { colour: keyof typeof colours; object: keyof typeof objects },
  ),
)

const patchAt = (index: number, size: number): CaptionedImage => {
  const { colour, object } = kinds[index % kinds.length]!
  const pixels = new Uint8Array(size * size * 3).fill(245)
  const side = size / 2
  const [top, left] = [Math.floor(index / kinds.length) % (side + 1), objects[object] * side]
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) pixels.set(colours[colour], ((top + y) * size + left + x) * 3)
  }
  return {
    name: `patch ${index}`,
    pixels,
    captions: [`a ${colour} ${object}`, `${colour} ${object}`],
    facts: { colour, object },
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

/** A stage that gives them. */
export const patchesStage = defineStageNode({
  type: "test.patches",
  version: 1,
  config: Schema.Struct({ size: Schema.Int }),
  ports: { in: {}, out: artifact(captionedImagesKind) },
  run: ({ size }) => Effect.succeed(patchImages(size)),
})
