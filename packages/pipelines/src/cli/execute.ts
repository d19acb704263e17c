/** The command line as an effect: arguments in, exit code out. */
// One by one: their index loads sockets too.
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import { Stopping, type StopRequest, stopRequest } from "@millrace/core/stopRequest"
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

const complain = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Tells what went wrong, and gives the code for it. */
const conclude = (error: unknown, debug: boolean): number => {
  if (CliError.isCliError(error)) {
    if (error._tag === "ShowHelp" && error.errors.length === 0) return exitCodes.ok
    // What is wrong was shown already.
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
 * Carries out a command line such as `["run", "instructgpt", "--seed", "7"]`. The answer goes to stdout, everything else
 * to stderr. It never fails: the exit code tells. Interrupting it stops the run, with all that was made kept.
 * @param stop  asks a run to stop at its next step
 */
export const execute = (argv: ReadonlyArray<string>, stop: StopRequest = stopRequest()): Effect.Effect<number> =>
  Effect.suspend(() => {
    // A whole help page comes with every mistake: it is held back, and shown only where it was asked for.
    const held: Array<string> = []
    const patient: Console.Console = {
      ...globalThis.console,
      log: (...texts) => {
        held.push(texts.join(" "))
      },
    }
    return Command.runWith(millrace, { version: version() })(argv).pipe(
      Effect.provideService(Console.Console, patient),
      Effect.provideService(Stopping, stop),
      Effect.provide(services),
      Effect.exit,
      Effect.flatMap((exit) => {
        if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return Effect.interrupt
        const code = Exit.isSuccess(exit) ? exitCodes.ok : conclude(Cause.squash(exit.cause), argv.includes("--debug"))
        if (code === exitCodes.ok) for (const text of held) process.stdout.write(`${text}\n`)
        return Effect.succeed(code)
      }),
    )
  })
