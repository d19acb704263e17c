/**
 * Every error of the framework, in three families that say whose fault it is, and the one renderer.
 *
 *   definition   the graph or program as written is wrong
 *   data         the graph is right, a value is not
 *   execution    both are right, running failed
 *
 * Errors are tagged values: fields for programs, `render` for people. All mismatches of one check come in one error.
 */
import { type Cause, Data } from "effect"

export type Family = "definition" | "data" | "execution"

/** What every error can say. `where` is a graph path: `instructgpt > sft > loss`. */
export interface Failure {
  readonly where: string
  readonly expected: string
  readonly received: string
  /** What to do now. */
  readonly fix: string
  /** How to see it again: a seed, a file, a command. */
  readonly replay?: string
  readonly cause?: unknown
}

/** An error as at most five lines, without a stack trace. */
export const render = (error: Failure & { readonly _tag: string }): string =>
  [
    `${error._tag} in ${error.where}`,
    ...(["expected", "received", "fix", "replay"] as const).flatMap((field) => {
      const text = error[field]
      return text === undefined ? [] : [`  ${field.padEnd(9)} ${text.replaceAll("\n", `\n${" ".repeat(12)}`)}`]
    }),
  ].join("\n")

type FailureClass<Tag extends string> = new (
  fields: Failure,
) => Cause.YieldableError & Failure & { readonly _tag: Tag; readonly family: Family }

const failure = <const Tag extends string>(tag: Tag, family: Family): FailureClass<Tag> =>
  class extends Data.TaggedError(tag)<Failure> {
    readonly family: Family = family
    override get message(): string {
      return render(this)
    }
  }

// --- definition: what was written is wrong

/** Ports or tensors that do not fit: dtype, axes, unit or size. Carries every mismatch found, one a line. */
export class ShapeMismatch extends failure("ShapeMismatch", "definition") {}
/** A wire to a name that nothing produces. */
export class UnknownWire extends failure("UnknownWire", "definition") {}
/** Two nodes or outputs of one name. */
export class DuplicateNode extends failure("DuplicateNode", "definition") {}
/** Nodes that need each other's results. `received` names the cycle. */
export class Cycle extends failure("Cycle", "definition") {}
/** A node type, or a version of one, that the registry does not hold. */
export class UnknownNode extends failure("UnknownNode", "definition") {}
/** A config with a missing, mistyped or unknown key. */
export class BadConfig extends failure("BadConfig", "definition") {}
/** A tfjs operation that capture cannot record. */
export class UnsupportedOp extends failure("UnsupportedOp", "definition") {}
/** A tensor's value was asked for, or stateful randomness drawn, while a program was being captured. */
export class ValueDuringCapture extends failure("ValueDuringCapture", "definition") {}

/** A function or node that does not obey a law which it was put under. `received` has the smallest counterexamples. */
export class LawBroken extends failure("LawBroken", "definition") {}

// --- data: the definition is right, a value is not

/** A file or string that is not what it claims to be. */
export class BadData extends failure("BadData", "data") {}
/** A loss or a gradient that is not a number. `received` says at which step; the last good weights are kept. */
export class NotFinite extends failure("NotFinite", "data") {}
/** A sequence longer than the model's context, or a corpus too short for one. */
export class BadLength extends failure("BadLength", "data") {}

// --- execution: running failed

/** A node's own code failed; `cause` is its error. */
export class NodeFailed extends failure("NodeFailed", "execution") {}
/** An engine that is not installed or does not start here. */
export class EngineMissing extends failure("EngineMissing", "execution") {}
/** What an engine is made from could not be fetched or built. What was there before is as it was. */
export class InstallFailed extends failure("InstallFailed", "execution") {}
/** An engine that failed while it compiled or ran a program. */
export class EngineFailed extends failure("EngineFailed", "execution") {}
/** A file that could not be read or written: no space, no permission, not there. `cause` is the system's error. */
export class DiskFailed extends failure("DiskFailed", "execution") {}

/** Any error that Millrace raises. */
export type MillraceError =
  | ShapeMismatch
  | UnknownWire
  | DuplicateNode
  | Cycle
  | UnknownNode
  | BadConfig
  | UnsupportedOp
  | ValueDuringCapture
  | LawBroken
  | BadData
  | NotFinite
  | BadLength
  | NodeFailed
  | EngineMissing
  | InstallFailed
  | EngineFailed
  | DiskFailed

export const isFailure = (error: unknown): error is Failure & { readonly _tag: string } =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  typeof error._tag === "string" &&
  "where" in error &&
  "expected" in error &&
  "received" in error &&
  "fix" in error

/**
 * What an error says in plain words, whatever was thrown: five lines for the framework's own errors, the message of any
 * other, never a stack trace.
 */
export const messageOf = (error: unknown): string => {
  if (isFailure(error)) return render(error)
  if (error instanceof Error) return error.message === "" ? error.name : error.message
  try {
    return typeof error === "string" ? error : (JSON.stringify(error) ?? String(error))
  } catch {
    return String(error)
  }
}
