/** Untrusted values checked against a schema, every error at once, as one `BadConfig`. */
import { Result, type Schema, type SchemaAST, SchemaIssue, SchemaParser } from "effect"
import { BadConfig, type Failure } from "../errors.js"
import { MAX_DEPTH } from "../json.js"
import { didYouMean } from "../suggest.js"
import { lines } from "./lines.js"

/** A schema for plain JSON data that needs no service. Decoding what it has decoded changes nothing. */
export type ConfigSchema<T, E = T> = Schema.Codec<T, E>

const refusedKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])

/**
 * Why a value is not plain JSON data, or null where it is: a refused key, a number that is not finite, `undefined`,
 * a class instance, or nesting beyond `MAX_DEPTH`. Walks with a stack of its own, so depth cannot break it.
 */
export const whyNotJson = (root: unknown): string | null => {
  const stack: Array<readonly [unknown, string, number]> = [[root, "", 0]]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [value, path, depth] = top
    const at = path === "" ? "the value" : path
    if (value === null || typeof value === "string" || typeof value === "boolean") continue
    if (typeof value === "number") {
      if (Number.isFinite(value)) continue
      return `${at} is ${value}`
    }
    if (typeof value !== "object") return `${at} is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}`
    if (depth >= MAX_DEPTH) return `${at.slice(0, 60)}… is nested deeper than ${MAX_DEPTH}`
    if (Array.isArray(value)) {
      for (const [i, child] of value.entries()) stack.push([child, `${path}[${i}]`, depth + 1])
      continue
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return `${at} is not a plain object`
    for (const key of Object.keys(value)) {
      if (refusedKeys.has(key)) return `${path === "" ? key : `${path}.${key}`} is a refused key`
      stack.push([(value as Record<string, unknown>)[key], path === "" ? key : `${path}.${key}`, depth + 1])
    }
  }
  return null
}

interface Found {
  readonly path: ReadonlyArray<PropertyKey>
  readonly leaf: SchemaIssue.Leaf | SchemaIssue.Filter
}

const leaves = (issue: SchemaIssue.Issue, path: ReadonlyArray<PropertyKey>): ReadonlyArray<Found> => {
  switch (issue._tag) {
    case "Pointer":
      return leaves(issue.issue, [...path, ...issue.path])
    case "Encoding":
      return leaves(issue.issue, path)
    case "Composite":
      return issue.issues.flatMap((child) => leaves(child, path))
    case "AnyOf":
      return issue.issues.length === 0
        ? [{ path, leaf: new SchemaIssue.InvalidType(issue.ast) }]
        : issue.issues.flatMap((child) => leaves(child, path))
    default:
      return [{ path, leaf: issue }]
  }
}

const showPath = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`)).join("")

const showValue = (value: unknown): string => {
  const text = typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

const at = (root: unknown, path: ReadonlyArray<PropertyKey>): unknown => {
  let value = root
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return value
}

const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const expectation = (leaf: Found["leaf"]): string => {
  const text = leaf._tag === "Filter" ? leafOf(leaf) : SchemaIssue.defaultLeafHook(leaf)
  return text.replace(/^Expected /, "").split(/, (?:got|actual) /)[0]!
}

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()
const leafOf = (filter: SchemaIssue.Filter): string => formatter(filter).issues[0]?.message ?? "a valid value"

/** What a value is instead of what a schema asks for. */
export type Mismatch = Pick<Failure, "expected" | "received" | "fix">

/**
 * Checks plain JSON data: unknown keys are refused, all errors come at once, a mistyped key gets a "did you mean".
 * @param root  what errors call the value itself
 */
export const matchSchema = <T, E>(
  schema: ConfigSchema<T, E>,
  value: unknown,
  root = "the config",
): Result.Result<T, Mismatch> => {
  const result = SchemaParser.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })(value)
  if (Result.isSuccess(result)) return Result.succeed(result.success)
  const expected: Array<string> = []
  const received: Array<string> = []
  const fixes = new Set<string>()
  for (const { path, leaf } of leaves(result.failure, [])) {
    const name = showPath(path) || root
    if (leaf._tag === "UnexpectedKey") {
      const key = String(path.at(-1))
      const parent = at(value, path.slice(0, -1)) as Record<string, unknown>
      const free = keysOf(leaf.ast).filter((k) => !Object.hasOwn(parent, k))
      received.push(`${name}: unknown key`)
      fixes.add(`${name}: ${free.length === 0 ? "remove it" : didYouMean(key, free)}`)
    } else if (leaf._tag === "MissingKey") {
      expected.push(`${name}: required`)
      received.push(`${name}: missing`)
    } else {
      expected.push(`${name}: ${expectation(leaf)}`)
      received.push(`${name}: ${showValue(at(value, path))}`)
    }
  }
  return Result.fail({
    expected: expected.length === 0 ? "known keys alone" : lines(expected),
    received: lines(received),
    fix: fixes.size === 0 ? "give the expected values" : lines([...fixes]),
  })
}

/**
 * A config of what `matchSchema` takes, as one `BadConfig`.
 * @param where  the place that the error names: `dalle > logits > gpt.logits@1`
 */
export const decodeConfig = <T, E>(
  schema: ConfigSchema<T, E>,
  value: unknown,
  where: string,
): Result.Result<T, BadConfig> => {
  const why = whyNotJson(value)
  if (why !== null) {
    return Result.fail(
      new BadConfig({
        where,
        expected: "plain JSON data",
        received: why,
        fix: "give strings, finite numbers, booleans, null, arrays and plain objects",
      }),
    )
  }
  return Result.mapError(matchSchema(schema, value), (mismatch) => new BadConfig({ where, ...mismatch }))
}
