/** The process: services, signals, exit codes. */
import {
  NodeChildProcessSpawner,
  NodeFileSystem,
  NodePath,
  NodeStdio,
  NodeTerminal,
} from "@effect/platform-node-shared"
import { Cause, Console, Effect, Exit, Layer, Logger } from "effect"
import { CliError, Command } from "effect/cli"
import { millrace } from "./command.js"
import { Ended, exitCodes, showError } from "./exit.js"
import { version } from "./version.js"

const files = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)
const services = Layer.mergeAll(
  files,
  NodeTerminal.layer,
  NodeStdio.layer,
  NodeChildProcessSpawner.layer.pipe(Layer.provide(files)),
  // stdout is for the answer.
  Logger.layer([Logger.withConsoleError(Logger.formatSimple)]),
)

/** The command line prints a whole help page with every mistake: held back, it is shown only where it was asked for. */
const held: Array<string> = []
const patient: Console.Console = { ...globalThis.console, log: (...texts) => void held.push(texts.join(" ")) }

const complain = (text: string): void => void process.stderr.write(`${text}\n`)

const codeOf = (exit: Exit.Exit<void, unknown>, signal: NodeJS.Signals | undefined, debug: boolean): number => {
  if (Exit.isSuccess(exit)) return exitCodes.ok
  if (Cause.hasInterruptsOnly(exit.cause)) {
    return signal === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted
  }
  const error = Cause.squash(exit.cause)
  // What is wrong was shown already.
  if (CliError.isCliError(error)) {
    if (error._tag === "ShowHelp" && error.errors.length === 0) return exitCodes.ok
    const path = error._tag === "ShowHelp" ? error.commandPath : ["millrace"]
    complain(`\n${path.join(" ")} --help  tells how it is used`)
    return exitCodes.usage
  }
  if (error instanceof Ended) {
    complain(showError(error.error, debug))
    return error.code
  }
  complain(`internal: ${showError(error, debug)}`)
  if (!debug) complain("run again with --debug for the stack trace")
  return exitCodes.failed
}

/**
 * Runs the command line and ends the process. The first Ctrl-C stops the run: what was made is kept, the engine's
 * process ends, the report is written. The second leaves at once.
 */
export const main = (argv: ReadonlyArray<string>): void => {
  const debug = argv.includes("--debug")
  let signal: NodeJS.Signals | undefined
  const fiber = Effect.runFork(
    Command.runWith(millrace, { version: version() })(argv).pipe(
      Effect.provideService(Console.Console, patient),
      Effect.provide(services),
    ),
  )
  const stop = (received: NodeJS.Signals): void => {
    if (signal !== undefined) process.exit(signal === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted)
    signal = received
    complain("\nstopping; once more to leave at once")
    fiber.interruptUnsafe()
  }
  process.on("SIGINT", stop)
  process.on("SIGTERM", stop)
  // A pipe that closes early, as `| head` does, is no error of the run.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
  })
  fiber.addObserver((exit) => {
    const code = codeOf(exit, signal, debug)
    const help = code === exitCodes.ok ? held.map((text) => `${text}\n`).join("") : ""
    process.stdout.write(help, () => process.exit(code))
  })
}
