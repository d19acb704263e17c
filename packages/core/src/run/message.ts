/** What an error says in plain words, whatever was thrown. */
import { type Failure, render } from "../errors.js"

export const isFailure = (error: unknown): error is Failure & { readonly _tag: string } =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  typeof error._tag === "string" &&
  "where" in error &&
  "expected" in error &&
  "received" in error &&
  "fix" in error

/** Five lines for the framework's own errors, the message of any other, never a stack trace. */
export const messageOf = (error: unknown): string => {
  if (isFailure(error)) return render(error)
  if (error instanceof Error) return error.message === "" ? error.name : error.message
  try {
    return typeof error === "string" ? error : (JSON.stringify(error) ?? String(error))
  } catch {
    return String(error)
  }
}
