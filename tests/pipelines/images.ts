/** A small data set of captioned images, drawn here by plain loops: coloured shapes on a white ground, on a grey one where shifted. */
import { artifact, defineStageNode, keyFromSeed, random, split } from "@millrace/core"
import { type CaptionedImage, type CaptionedImages, captionedImagesKind, type ImageSet } from "@millrace/pipelines"
import { Effect, Schema } from "effect"

const colours = {
  red: [220, 40, 40],
  green: [40, 170, 60],
  blue: [50, 80, 220],
  yellow: [230, 200, 40],
  purple: [150, 60, 190],
  orange: [240, 130, 30],
} as const

/** Whether a place is in a shape of radius 1. */
const shapes = {
  circle: (x: number, y: number) => x * x + y * y < 0.9,
  square: (x: number, y: number) => Math.abs(x) < 0.8 && Math.abs(y) < 0.8,
  triangle: (x: number, y: number) => y < 0.8 && y > -0.9 && Math.abs(x) < (y + 0.9) * 0.55,
  cross: (x: number, y: number) =>
    Math.max(Math.abs(x), Math.abs(y)) < 0.95 && Math.min(Math.abs(x), Math.abs(y)) < 0.3,
  ring: (x: number, y: number) => x * x + y * y < 0.9 && x * x + y * y > 0.4,
} as const

interface Kind {
  readonly colour: keyof typeof colours
  readonly shape: keyof typeof shapes
}

const nameOf = ({ colour, shape }: Kind): string => `${colour} ${shape}`
const kinds = Object.keys(colours).flatMap((colour) => Object.keys(shapes).map((shape) => ({ colour, shape }) as Kind))
/** One of each colour, so that all colours and all shapes are learnt. */
const isHeld = (kind: Kind): boolean =>
  Object.keys(colours).indexOf(kind.colour) % 5 === Object.keys(shapes).indexOf(kind.shape)

/** Draws one kind with its place and size drawn by `which`. y x c */
const drawn = ({ colour, shape }: Kind, size: number, ground: number, which: number): Uint8Array => {
  const [u = 0, v = 0, w = 0] = random.uniform(split(keyFromSeed("shapes"), which), [3]).data
  const radius = size * (0.25 + 0.15 * u)
  const [middleX, middleY] = [size * (0.4 + 0.2 * v), size * (0.4 + 0.2 * w)]
  const pixels = new Uint8Array(size * size * 3).fill(ground)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!shapes[shape]((x + 0.5 - middleX) / radius, (y + 0.5 - middleY) / radius)) continue
      pixels.set(colours[colour], (y * size + x) * 3)
    }
  }
  return pixels
}

const setOf = (name: string, of: ReadonlyArray<Kind>, size: number, perKind: number, ground: number): ImageSet => {
  const imageAt = (index: number): CaptionedImage => {
    const kind = of[index % of.length]!
    return {
      name: `${name} ${index}`,
      pixels: drawn(kind, size, ground, index + ground * 1000),
      captions: [`a ${nameOf(kind)}`, `a picture of a ${nameOf(kind)}`],
      class: index % of.length,
      facts: { ...kind },
    }
  }
  return {
    count: of.length * perKind,
    classes: of.map(nameOf),
    read: (indices) => Effect.sync(() => indices.map(imageAt)),
    digest: `${name} ${of.length} ${size} ${perKind} ${ground}`,
  }
}

/** 24 kinds to learn, `perKind` images of each; 6 held out; the 24 again on a grey ground. */
export const shapeImages = (size = 32, perKind = 8): CaptionedImages => {
  const [seen, held] = [kinds.filter((kind) => !isHeld(kind)), kinds.filter(isHeld)]
  return {
    source: "drawn by a test",
    size,
    train: setOf("train", seen, size, perKind, 245),
    heldOut: setOf("held out", held, size, 2, 245),
    shifted: setOf("shifted", seen, size, 2, 200),
  }
}

/** A stage that gives them. */
export const shapesStage = defineStageNode({
  type: "test.shapes",
  version: 1,
  config: Schema.Struct({ size: Schema.Int, perKind: Schema.Int }),
  ports: { in: {}, out: artifact(captionedImagesKind) },
  run: ({ size, perKind }) => Effect.succeed(shapeImages(size, perKind)),
})
