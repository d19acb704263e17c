/** The process of the command: signals and its end. */
import { Effect, Exit } from "effect"
import { execute } from "./execute.js"
import { exitCodes } from "./exit.js"

/**
 * Runs the command line and ends the process. The first Ctrl-C stops the run: what was made is kept, the engine's
 * process ends, the report is written. The second leaves at once.
 */
export const main = (argv: ReadonlyArray<string>): void => {
  const fiber = Effect.runFork(execute(argv))
  // A run that waits for nothing that Node knows of would end the process, with code 0 and unfinished.
  const alive = setInterval(() => undefined, 2 ** 30)
  let code: number | undefined
  const stop = (signal: NodeJS.Signals): void => {
    if (code !== undefined) process.exit(code)
    code = signal === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted
    process.stderr.write("\nstopping; once more to leave at once\n")
    fiber.interruptUnsafe()
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
