import { isFailure } from "./errors.js"

/** What is told, or undefined where it fails with one of our errors: a stage that lacks a size cannot tell of its functions. */
export const orNothing = <A>(tell: () => A): A | undefined => {
  try {
    return tell()
  } catch (error) {
    if (isFailure(error)) return undefined
    throw error
  }
}
