/**
 * Axes: the one alphabet, and the einops-like strings that name them.
 *
 *   b batch   t position   s key position   d model width   h heads   e head width   f feed-forward width
 *   v vocabulary   y x image row and column   c channels   k codebook or candidates   n samples
 *
 * `"b t d"` three axes; `"b 3"` a fixed size; `"b t (h e)"` a product; `""` a scalar.
 */

/** A factor is an axis name or a fixed size. */
export type Factor = string | number
/** An axis is a product of factors; most have one. */
export type Axis = ReadonlyArray<Factor>

/** The axes of a string such as `"b t (h e)"`, or null where it is malformed. */
export const parseAxes = (text: string): ReadonlyArray<Axis> | null => {
  const axes: Array<Axis> = []
  for (const part of text.match(/\([^()]*\)|[^\s()]+|[()]/g) ?? []) {
    const factors = part.startsWith("(") ? part.slice(1, -1).trim().split(/\s+/) : [part]
    if (!factors.every((f) => /^(?:[a-z][a-z0-9]*|[1-9][0-9]*)$/.test(f))) return null
    axes.push(factors.map((f) => (/^[0-9]/.test(f) ? Number(f) : f)))
  }
  return axes
}
