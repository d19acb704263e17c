/** The inline images of iTerm2, which WezTerm and mintty know too. */
import { Buffer } from "node:buffer"

/**
 * Draws a PNG at the cursor, over `cells` columns of text, and moves the cursor behind it.
 * @source  iterm2.com/documentation-images.html: OSC 1337, `width` in cells, the height by the image's own shape
 */
export const iterm = (png: Uint8Array, cells: number): string => {
  const data = Buffer.from(png).toString("base64")
  return `\u001b]1337;File=inline=1;size=${png.length};width=${cells};preserveAspectRatio=1:${data}\u0007`
}
