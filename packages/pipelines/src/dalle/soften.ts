/** Images out of focus: what a judge learns from beside sharp ones, since what it judges is not sharp. */

/**
 * The mean of each pixel and its neighbours, as many times as given; at the sides of those that there are.
 * @param pixels  y x c, `size` each way, c red, green, blue
 * @law   0 times is the image itself; an image of one colour stays so
 */
export const soften = (pixels: Uint8Array, size: number, times: number): Uint8Array => {
  let from = pixels
  for (let pass = 0; pass < times; pass++) {
    const to = new Uint8Array(from.length)
    for (let y = 0; y < size; y++) {
      const [top, bottom] = [Math.max(0, y - 1), Math.min(size - 1, y + 1)]
      for (let x = 0; x < size; x++) {
        const [left, right] = [Math.max(0, x - 1), Math.min(size - 1, x + 1)]
        const count = (bottom - top + 1) * (right - left + 1)
        for (let c = 0; c < 3; c++) {
          let sum = 0
          for (let v = top; v <= bottom; v++) {
            for (let u = left; u <= right; u++) sum += from[(v * size + u) * 3 + c]!
          }
          to[(y * size + x) * 3 + c] = Math.round(sum / count)
        }
      }
    }
    from = to
  }
  return from
}
