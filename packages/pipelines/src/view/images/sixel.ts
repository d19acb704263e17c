/** Sixels: six rows of pixels a character, as the VT340 drew them. */
import { FINALIZER, image2sixel, introducer, sixelEncode } from "sixel/lib/SixelEncoder.js"
import type { Picture } from "./enlarge.js"

/** What a terminal has at least by today's measure. */
const mostColours = 256

/** The colours of a picture, without what is transparent; undefined where there are more than a palette takes. */
const coloursOf = ({ data }: Picture): ReadonlyArray<readonly [number, number, number]> | undefined => {
  const seen = new Map<number, readonly [number, number, number]>()
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 0) continue
    const [r, g, b] = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0]
    seen.set((r << 16) | (g << 8) | b, [r, g, b])
    if (seen.size > mostColours) return undefined
  }
  return [...seen.values()]
}

/**
 * Draws a picture at the cursor: `DCS P1;P2;P3 q … ST`. Its own colours where a palette has room for them, the nearest of
 * 256, dithered, where it has not. What is transparent is left as the terminal has it.
 * @source  DEC STD 070, and the VT330/VT340 programmer reference, chapter 14
 */
export const sixel = (picture: Picture): string => {
  const { data, width, height } = picture
  const colours = coloursOf(picture)
  // The encoder breaks its lines, which a terminal skips, but a line of the view must be one.
  if (colours === undefined) return image2sixel(data, width, height, mostColours, 1).replaceAll("\n", "")
  const palette = colours.map(([r, g, b]): [number, number, number] => [r, g, b])
  const body = palette.length === 0 ? "" : sixelEncode(data, width, height, palette).replaceAll("\n", "")
  return introducer(1) + body + FINALIZER
}
