/** Characters for HTML's references to them. */
import { entities, looseEntities } from "./htmlEntities.js"

/** Code points 0x80 to 0x9f as Windows-1252, which is nearly always meant by them. Where it has no character they stay. */
export const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

/** The character of a numeric reference; "" for control characters and for what Unicode will never assign. */
const characterOf = (code: number): string => {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return "\ufffd"
  if (code === 0x0d) return "\r"
  if (code >= 0x80 && code <= 0x9f) return windows1252[code - 0x80]!
  const control = code < 0x20 ? code !== 0x09 && code !== 0x0a && code !== 0x0c : code === 0x7f
  const never = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
  return control || never ? "" : String.fromCodePoint(code)
}

const numeric = (digits: string): string =>
  characterOf(/^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10))

/**
 * A text with its character references read as HTML 5 does: `&lt;` and `&#60;` are <, and old names such as `&copy` need
 * no semicolon, not even before letters. Names are those of HTML 4 and `&apos;`; further names of HTML 5, most of them of
 * mathematics, stay as they are.
 */
export const unescapeHtml = (text: string): string =>
  text.replaceAll(/&(?:#([0-9]+|[xX][0-9a-fA-F]+);?|([^\t\n\f <&#;]{1,32})(;?))/g, (whole, digits, name, end) => {
    if (digits !== undefined) return numeric(digits)
    const known = end === ";" ? entities.get(name) : looseEntities.get(name)
    if (known !== undefined) return known
    for (let length = name.length; length > 1; length--) {
      const start = looseEntities.get(name.slice(0, length))
      if (start !== undefined) return start + name.slice(length) + end
    }
    return whole
  })

/** The same for references that end in a semicolon alone. */
export const unescapeClosed = (text: string): string =>
  text.replaceAll(/&#?[0-9A-Za-z]{1,24};/g, (whole) => {
    const name = whole.slice(1, -1)
    if (name.startsWith("#")) return /^#(?:[0-9]+|[xX][0-9a-fA-F]+)$/.test(name) ? numeric(name.slice(1)) : whole
    return entities.get(name) ?? whole
  })
