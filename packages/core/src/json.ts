/**
 * JSON as an identity: one text for a value (RFC 8785), and a reader that takes no text in two ways.
 */
import type { Effect } from "effect"
import { sha256 } from "./artifact.js"
import { attempt } from "./attempt.js"
import { BadData } from "./errors.js"

/** Deeper values are refused, both written and read: no recursion here can exhaust the stack. */
export const MAX_DEPTH = 64

const fail = (where: string, expected: string, received: string, fix: string): never => {
  throw new BadData({ where, expected, received, fix })
}

/** A text for an error message, cut to one short line. */
const excerpt = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text)

const writeString = (text: string, where: string): string =>
  /\p{Surrogate}/u.test(text)
    ? fail(
        where,
        "well-formed Unicode",
        `a lone surrogate in ${excerpt(text)}`,
        "replace it, or store the text as bytes",
      )
    : JSON.stringify(text)

const write = (value: unknown, where: string, above: ReadonlyArray<object>): string => {
  if (value === null || typeof value === "boolean") return String(value)
  if (typeof value === "string") return writeString(value, where)
  if (typeof value === "number") {
    // RFC 8785 takes ECMAScript's own shortest form of a double; JSON.stringify writes it, and -0 as 0.
    if (Number.isFinite(value)) return JSON.stringify(value)
    return fail(where, "a finite number", String(value), 'JSON has no such number: store it as a text, "NaN"')
  }
  if (typeof value !== "object") {
    return fail(
      where,
      "null, a boolean, number, text, array or record",
      typeof value,
      "leave the key out, or convert it",
    )
  }
  if (above.includes(value)) return fail(where, "a tree", "an object that holds itself", "break the cycle")
  if (above.length === MAX_DEPTH) {
    return fail(where, `at most ${MAX_DEPTH} levels`, "more", "flatten the value")
  }
  const within = [...above, value]
  // Array.from visits holes, which map would skip.
  if (Array.isArray(value))
    return `[${Array.from(value, (item, i) => write(item, `${where}[${i}]`, within)).join(",")}]`
  const prototype = Object.getPrototypeOf(value)
  if ((prototype !== Object.prototype && prototype !== null) || Object.getOwnPropertySymbols(value).length > 0) {
    const name = prototype?.constructor?.name ?? "an object with symbols as keys"
    return fail(where, "a plain record", name, "convert it to records, arrays, numbers and texts")
  }
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1)) // by UTF-16 code units, as RFC 8785, 3.2.3 asks
    .map(([name, item]) => `${writeString(name, where)}:${write(item, `${where}.${name}`, within)}`)
  return `{${entries.join(",")}}`
}

/**
 * The canonical text of a value: equal values have equal texts, whatever the order of their keys.
 * @fails   BadData  undefined, NaN, ±∞, bigints, functions, class instances, lone surrogates, cycles, over 64 levels
 * @source  RFC 8785, JSON Canonicalization Scheme
 */
export const canonicalJson = (value: unknown): string => write(value, "$", [])

/** SHA-256 of the canonical text, in hex. */
export const jsonHash = (value: unknown): string => sha256(canonicalJson(value))

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORDS: ReadonlyArray<readonly [string, boolean | null]> = [
  ["true", true],
  ["false", false],
  ["null", null],
]

/**
 * A strict reader, for use inside other synchronous readers: throws BadData.
 * @param again  gets a key that the outermost record has again, with its value, where that is to be told with more
 */
export const readJson = (text: string, where: string, again?: (key: string, value: unknown) => void): unknown => {
  let at = 0

  const refuse = (expected: string, received: string, fix: string): never => {
    const before = text.slice(0, at)
    const line = before.split("\n").length
    return fail(`${where}:${line}:${at - before.lastIndexOf("\n")}`, expected, received, fix)
  }
  const broken = (expected: string): never =>
    refuse(
      expected,
      at >= text.length ? "the end of the text" : excerpt(text.slice(at)),
      "correct the file, or write it again",
    )
  const blank = (): void => {
    while (" \t\n\r".includes(text[at] ?? "x")) at++
  }
  const string = (expected: string): string => {
    if (text[at] !== '"') return broken(expected)
    let end = at + 1
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1
    try {
      const found: string = JSON.parse(text.slice(at, end + 1))
      at = end + 1
      return found
    } catch {
      return broken(`${expected} without raw control characters or unknown escapes, and with its closing quote`)
    }
  }
  /** After an item: true at a comma, false at the end. */
  const more = (close: string): boolean => {
    blank()
    if (text[at] !== "," && text[at] !== close) return broken(`"," or "${close}"`)
    return text[at++] === ","
  }
  const empty = (close: string): boolean => {
    blank()
    if (text[at] !== close) return false
    at++
    return true
  }

  const value = (depth: number): unknown => {
    blank()
    const first = text[at]
    if (first === "{" || first === "[") {
      if (depth === MAX_DEPTH) refuse(`at most ${MAX_DEPTH} levels`, "more", "flatten the value")
      at++
      return first === "{" ? record(depth + 1) : array(depth + 1)
    }
    if (first === '"') return string("a string")
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length
        return meaning
      }
    }
    NUMBER.lastIndex = at
    const number = NUMBER.exec(text)?.[0]
    if (number === undefined) return broken("a JSON value")
    if (!Number.isFinite(Number(number)))
      return refuse("a number that a double can hold", excerpt(number), "store it as a text")
    at += number.length
    return Number(number)
  }
  const array = (depth: number): unknown => {
    const items: Array<unknown> = []
    if (empty("]")) return items
    do items.push(value(depth))
    while (more("]"))
    return items
  }
  const record = (depth: number): unknown => {
    const items: Record<string, unknown> = {}
    if (empty("}")) return items
    do {
      blank()
      const start = at
      const name = string("a key")
      const twice = Object.hasOwn(items, name)
      const told = twice && depth === 1 && again !== undefined
      if (name === "__proto__" || (twice && !told)) {
        at = start
        if (name === "__proto__") refuse("an ordinary key", excerpt(name), "rename the key")
        refuse("each key once", `${excerpt(name)} again`, "remove one of the two")
      }
      blank()
      if (text[at] !== ":") broken('":"')
      at++
      const item = value(depth)
      if (told) again(name, item)
      else items[name] = item
    } while (more("}"))
    return items
  }

  const result = value(0)
  blank()
  return at === text.length ? result : broken("the end of the text")
}

/**
 * Strict JSON: what `JSON.parse` takes, less repeated keys, `__proto__`, numbers beyond a double and over 64 levels.
 * @param where  the file's name, which errors give with line and column
 */
export const parseJson = (text: string, where: string): Effect.Effect<unknown, BadData> =>
  attempt(BadData, () => readJson(text, where))
