import { Cause } from "effect"
import { isFailure, messageOf, NodeFailed } from "../errors.js"

/** How a stage's failure leaves the run: with the graph path, and the original error as its cause. */
export const nodeFailed = (where: string, cause: Cause.Cause<unknown>): NodeFailed => {
  const error = Cause.squash(cause)
  const thrown = Cause.hasDies(cause) && !Cause.hasFails(cause)
  return new NodeFailed({
    where,
    expected: isFailure(error) ? error.expected : "the stage to end with its outputs",
    received: isFailure(error) ? `${error.received}\n(${error._tag} in ${error.where})` : messageOf(error),
    fix: isFailure(error)
      ? error.fix
      : thrown
        ? "the stage threw instead of failing: run again with --debug for the stack trace"
        : "mend what the message names; what the stages before it made is kept",
    ...(isFailure(error) && error.replay !== undefined && { replay: error.replay }),
    cause: error,
  })
}
