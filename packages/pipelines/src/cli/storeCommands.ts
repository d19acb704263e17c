/** The commands that tell of the store. */
import { Argument, Command, Flag } from "effect/cli"
import { graph, json, out, preset, seed, set, withEngine } from "./arguments.js"
import { later } from "./later.js"

export const explain = Command.make(
  "explain",
  {
    graph,
    stage: Argument.String("stage").pipe(
      Argument.withDescription("One stage, as `outer.inner` where graphs nest; all of them without it"),
      Argument.optional,
    ),
    preset,
    set,
    seed,
    engine: withEngine,
    out,
    json,
  },
  later(async () => (await import("./explainCommand.js")).explainCommand),
).pipe(
  Command.withDescription(
    "Tell which stages a run would take from the store and which it would run, with the reason for each: what is other " +
      "than when it ran last. Nothing is run",
  ),
  Command.withExamples([{ command: "millrace explain instructgpt ppo --set ppo.kl.beta=0.1" }]),
)

export const gc = Command.make(
  "gc",
  {
    out,
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Tell what would be removed, and remove nothing"),
    ),
    json,
  },
  later(async () => (await import("./gcCommand.js")).gcCommand),
).pipe(
  Command.withDescription(
    "Remove from the store what no run folder has any more, and what was damaged. What was used within an hour stays",
  ),
)
