/**
 * Rename tables: how the tensors of a foreign checkpoint and the parameters of a model are the same, as data.
 *
 *   { ours: "blocks.{i}.mlp.up.weight", theirs: "layer.{i}.fc1.weight", axes: "o i -> i o" }
 *
 * One table reads and writes.
 */

export interface Rename {
  /** Our flat name. `{i}`, `{j}` stand for whole numbers from 0. */
  readonly ours: string
  /**
   * Theirs, with the same placeholders; `{i+1}` where they count from 1. Several stand side by side along the last axis
   * of ours, in equal parts: queries, keys and values.
   */
  readonly theirs: string | ReadonlyArray<string>
  /** From their axes to ours, as an einops string: `"o i y x -> y x i o"`, `"(h p e) i -> i (p h e)"`, `"o i 1 1 -> i o"`. */
  readonly axes?: string
}

export interface RenameTable {
  /** Whose names they are: `transformers GPT2LMHeadModel`. */
  readonly name: string
  readonly renames: ReadonlyArray<Rename>
  /** Sizes that the axes leave open, such as the number of heads. */
  readonly sizes?: Readonly<Record<string, number>>
  /** Of theirs: copies of tied weights, and what each copies. Where a file has one that the model does not take, it must be the same. */
  readonly tied?: Readonly<Record<string, string>>
  /** Names of theirs that are no parameters and are left out, with placeholders: masks. */
  readonly ignored?: ReadonlyArray<string>
}

const placeholder = /\{([a-z])(\+1)?\}/g
const escaped = (text: string): string => text.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&")

/** A pattern with numbers in place of its placeholders. */
export const fillName = (pattern: string, numbers: Readonly<Record<string, number>>): string =>
  pattern.replaceAll(placeholder, (_, key: string, plus?: string) =>
    String((numbers[key] ?? 0) + (plus === undefined ? 0 : 1)),
  )

/** The numbers that a name has in place of a pattern's placeholders, or null where it does not fit. */
export const matchName = (pattern: string, name: string): Readonly<Record<string, number>> | null => {
  const keys: Array<readonly [key: string, less: number]> = []
  const source = pattern
    .split(/(\{[a-z](?:\+1)?\})/)
    .map((part) => {
      const found = /^\{([a-z])(\+1)?\}$/.exec(part)
      if (found === null) return escaped(part)
      keys.push([found[1]!, found[2] === undefined ? 0 : 1])
      return "(0|[1-9][0-9]*)"
    })
    .join("")
  const match = new RegExp(`^${source}$`).exec(name)
  if (match === null) return null
  const numbers = Object.fromEntries(keys.map(([key, less], i) => [key, Number(match[i + 1]) - less]))
  // A placeholder that comes twice stands for one number, and none is below 0.
  return fillName(pattern, numbers) === name && Object.values(numbers).every((number) => number >= 0) ? numbers : null
}

/** A parameter's rename, with the names that it has in the checkpoint. */
export interface FoundRename {
  readonly rename: Rename
  readonly theirs: ReadonlyArray<string>
}

export const findRename = (table: RenameTable, ours: string): FoundRename | null => {
  for (const rename of table.renames) {
    const numbers = matchName(rename.ours, ours)
    if (numbers === null) continue
    const theirs = typeof rename.theirs === "string" ? [rename.theirs] : rename.theirs
    return { rename, theirs: theirs.map((pattern) => fillName(pattern, numbers)) }
  }
  return null
}
