/** The process of the command: signals and its end. */
import { stopRequest } from "@millrace/core/stopRequest"
import { Effect, Exit } from "effect"
import { execute } from "./execute.js"
import { exitCodes } from "./exit.js"

/**
 * Runs the command line and ends the process. The first Ctrl-C or SIGTERM asks a run to stop: it ends its step, saves a checkpoint,
 * ends the engine's process and writes the report. Whatever else the command does is interrupted. The second leaves at once.
 */
export const main = (argv: ReadonlyArray<string>): void => {
  const request = stopRequest()
  const fiber = Effect.runFork(execute(argv, request))
  // A run that waits for nothing that Node knows of would end the process, with code 0 and unfinished.
  const alive = setInterval(() => undefined, 2 ** 30)
  let code: number | undefined
  const stop = (signal: NodeJS.Signals): void => {
    if (code !== undefined) process.exit(code)
    const stops = request.ask()
    const terminated = stops ? exitCodes.resumable : exitCodes.terminated
    code = signal === "SIGTERM" ? terminated : exitCodes.interrupted
    process.stderr.write(`\nstopping${stops ? " after this step" : ""}; once more to leave at once\n`)
    if (!stops) fiber.interruptUnsafe()
  }
  process.on("SIGINT", stop)
  process.on("SIGTERM", stop)
  // A pipe that closes early, as `| head` does, is no error of the run.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
  })
  fiber.addObserver((exit) => {
    clearInterval(alive)
    const ended = Exit.isSuccess(exit) ? exit.value : (code ?? exitCodes.failed)
    process.stdout.write("", () => process.exit(ended))
  })
}
