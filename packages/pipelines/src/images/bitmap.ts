/** A decoded image of any height and width. */
export interface Bitmap {
  readonly height: number
  readonly width: number
  /** y x c, c red, green, blue and opacity, 0 to 255 each; colours are not multiplied by opacity. */
  readonly rgba: Uint8Array
}

/** A bitmap over an opaque colour: y x c, c red, green, blue. */
export const over = (
  { height, width, rgba }: Bitmap,
  background: readonly [red: number, green: number, blue: number],
): Uint8Array => {
  const rgb = new Uint8Array(height * width * 3)
  for (let i = 0; i < height * width; i++) {
    const opacity = rgba[i * 4 + 3]!
    for (let c = 0; c < 3; c++) {
      rgb[i * 3 + c] = Math.round((rgba[i * 4 + c]! * opacity + background[c]! * (255 - opacity)) / 255)
    }
  }
  return rgb
}
