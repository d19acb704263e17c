/** The graphics protocol of kitty, which Ghostty and others speak too. */
import { Buffer } from "node:buffer"

/** The most that one escape code may carry. */
const chunk = 4096

/**
 * Draws a PNG at the cursor, over `cells` columns of text, and moves the cursor behind it.
 * @source  sw.kovidgoyal.net/kitty/graphics-protocol: `a=T` transmit and show, `f=100` PNG, `c` columns, `m=1` more follows,
 *          `q=2` no answer, which would be read as keys that were typed
 */
export const kitty = (png: Uint8Array, cells: number): string => {
  const data = Buffer.from(png).toString("base64")
  const count = Math.max(1, Math.ceil(data.length / chunk))
  return Array.from({ length: count }, (_, i) => {
    const keys = i === 0 ? `a=T,f=100,c=${cells},q=2` : "q=2"
    const part = data.slice(i * chunk, (i + 1) * chunk)
    return `\u001b_G${keys},m=${i + 1 < count ? 1 : 0};${part}\u001b\\`
  }).join("")
}
