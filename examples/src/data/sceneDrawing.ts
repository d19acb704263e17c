/** Scenes as pixels: tinted sprites at whole pixels over a background. */
import { areaMean, type Bitmap } from "@millrace/pipelines"
import type { Scene, Thing } from "./scenePlan.js"
import { type SceneObject, sceneBackgrounds, sceneColours, sceneObjects } from "./scenesWorld.js"
import { tint } from "./tint.js"

/** A tinted sprite of some size. y x c, c red, green and blue times opacity, and opacity, 0 to 255. */
const inkOf = ({ rgba, height, width }: Bitmap, side: number): Uint8Array => {
  const values = Float64Array.from(rgba)
  for (let at = 0; at < values.length; at += 4) {
    for (let c = 0; c < 3; c++) values[at + c] = (values[at + c]! * values[at + 3]!) / 255
  }
  const whole = { top: 0, left: 0, height, width }
  return Uint8Array.from(areaMean({ values, height, width, channels: 4 }, whole, [side, side]), Math.round)
}

const draw = (canvas: Uint8Array, size: number, ink: Uint8Array, side: number, top: number, left: number): void => {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (y * side + x) * 4
      const to = ((top + y) * size + left + x) * 3
      const clear = 1 - ink[from + 3]! / 255
      for (let c = 0; c < 3; c++) canvas[to + c] = Math.round(canvas[to + c]! * clear + ink[from + c]!)
    }
  }
}

/** Inks are kept up to this many bytes: all of them, at 32 × 32 and 64 × 64. */
const KEPT = 64e6

/** Where a thing of `side` pixels begins in `room` pixels: anywhere, by a uniform draw. */
const place = (room: number, side: number, uniform: number): number => Math.floor(uniform * (room - side + 1))

/** Draws scenes at one size. */
export const sceneDrawer = (sprites: Readonly<Record<SceneObject, Bitmap>>, size: number) => {
  const inks = new Map<string, Uint8Array>()
  let kept = 0
  const inkFor = ({ object, colour }: Thing, side: number): Uint8Array => {
    const name = `${colour} ${object} ${side}`
    const known = inks.get(name)
    if (known !== undefined) return known
    const ink = inkOf(tint(sprites[object], sceneColours[colour]), side)
    kept += ink.length
    if (kept > KEPT) {
      inks.clear()
      kept = ink.length
    }
    inks.set(name, ink)
    return ink
  }
  const half = Math.floor(size / 2)

  /** @returns y x c, c red, green, blue */
  return ({ first, second, background, jitter }: Scene): Uint8Array => {
    const canvas = new Uint8Array(size * size * 3)
    for (let i = 0; i < canvas.length; i++) canvas[i] = sceneBackgrounds[background][i % 3]!
    if (second === undefined) {
      const side = Math.round(size * (0.7 + 0.2 * jitter[0]!))
      draw(canvas, size, inkFor(first, side), side, place(size, side, jitter[1]!), place(size, side, jitter[2]!))
    } else {
      const { relation, thing } = second
      const upright = relation === "above" || relation === "below"
      const firstLeads = relation === "left" || relation === "above"
      for (const [i, each] of [first, thing].entries()) {
        const side = Math.round(half * (0.9 + 0.1 * jitter[i * 3]!))
        // Along the relation each has its half; across it both lie near the middle.
        const along = ((i === 0) === firstLeads ? 0 : size - half) + place(half, side, jitter[i * 3 + 1]!)
        const slack = Math.round(size / 8)
        const across = Math.floor((size - side - slack) / 2) + place(slack + side, side, jitter[i * 3 + 2]!)
        draw(canvas, size, inkFor(each, side), side, upright ? along : across, upright ? across : along)
      }
    }
    return canvas
  }
}

export const spriteFiles = Object.entries(sceneObjects) as ReadonlyArray<[SceneObject, string]>
