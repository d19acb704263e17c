/**
 * Axes: the one alphabet, and the einops-like strings that name them.
 *
 *   b batch   t position   s key position   d model width   h heads   e head width   f feed-forward width
 *   v vocabulary   y x image row and column   c channels   k codebook or candidates   n samples   j joint width
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

/** Names that axes are given: axis -> its new name. */
export type AxisNames = Readonly<Record<string, string>>

/** The axes under other names, all changed at once; sizes and axes without a new name stay: `"b (h e) 3"` -> `"n (h e) 3"`. */
export const renameAxes = (text: string, names: AxisNames): string =>
  text.replaceAll(/[^\s()]+/g, (factor) => (Object.hasOwn(names, factor) ? names[factor]! : factor))

/** The names of the axes of a string, each once: no sizes. */
export const axisNames = (text: string): ReadonlyArray<string> => [...new Set(text.match(/[a-z][a-z0-9]*/g) ?? [])]

// --- the same for the compiler

type RenameWord<W extends string, M> = W extends keyof M
  ? M[W] & string
  : W extends `${infer L}(${infer R}`
    ? `${RenameWord<L, M>}(${RenameWord<R, M>}`
    : W extends `${infer L})${infer R}`
      ? `${RenameWord<L, M>})${RenameWord<R, M>}`
      : W

/** `RenameAxes<"b t (h e)", { b: "n" }>` is `"n t (h e)"`. */
export type RenameAxes<A extends string, M> = string extends A
  ? string
  : A extends `${infer W} ${infer R}`
    ? `${RenameWord<W, M>} ${RenameAxes<R, M>}`
    : RenameWord<A, M>

type NamesInWord<W extends string> = W extends "" | `${number}`
  ? never
  : W extends `${infer L}(${infer R}`
    ? NamesInWord<L> | NamesInWord<R>
    : W extends `${infer L})${infer R}`
      ? NamesInWord<L> | NamesInWord<R>
      : W

/** `AxisName<"b t (h e)">` is `"b" | "t" | "h" | "e"`. */
export type AxisName<A extends string> = string extends A
  ? string
  : A extends `${infer W} ${infer R}`
    ? NamesInWord<W> | AxisName<R>
    : NamesInWord<A>
