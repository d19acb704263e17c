/** How the command ends: the codes, and the error that carries one. */
import { type Failure, isFailure, messageOf } from "@millrace/core/errors"
import { Data } from "effect"

export const exitCodes = {
  ok: 0,
  /** The run failed. */
  failed: 1,
  /** The command was written wrongly: an unknown option, a file that is not there, a setting that does not fit. */
  usage: 2,
  /** The graph or crate is wrong. */
  invalid: 3,
  /** A run that was made again is not the published one. */
  mismatch: 4,
  /** A run was stopped by SIGTERM, and `millrace resume` goes on with it: EX_TEMPFAIL of sysexits. */
  resumable: 75,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM, where no run was stopped by it. */
  terminated: 143,
} as const

/** An error with the exit code that it means. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: number; readonly error: unknown }> {}

export const usage = (error: unknown): Ended => new Ended({ code: exitCodes.usage, error })
export const invalid = (error: unknown): Ended => new Ended({ code: exitCodes.invalid, error })
export const mismatch = (error: unknown): Ended => new Ended({ code: exitCodes.mismatch, error })
export const failed = (error: unknown): Ended => new Ended({ code: exitCodes.failed, error })

const stackOf = (error: unknown): string | undefined => {
  const cause = isFailure(error) ? ((error as Failure).cause ?? error) : error
  return cause instanceof Error ? cause.stack : undefined
}

/** The error for a person: five lines; the stack only where it was asked for. */
export const showError = (error: unknown, debug: boolean): string => {
  const stack = debug ? stackOf(error) : undefined
  return stack === undefined ? messageOf(error) : `${messageOf(error)}\n\n${stack}`
}
