/** The command line of `millrace`. */
import { paperNames } from "@millrace/models/paperNames"
import { Argument, Command, Flag } from "effect/cli"
import { imageProtocols } from "../view/images/imageProtocol.js"
import { graph, json, out, preset, quiet, seed, set, withEngine } from "./arguments.js"
import { builtIn } from "./builtIn.js"
import { publish, reproduce, verify } from "./crates.js"
import { engines } from "./engines/engines.js"
import { later } from "./later.js"
import { laws } from "./laws.js"
import { profile } from "./profile.js"
import { exporting, report, runs } from "./runsCommands.js"
import { explain, gc } from "./storeCommands.js"
import { theRun } from "./theRun.js"

/** How a run is shown. */
const shown = {
  quiet,
  json,
  images: Flag.Literals("images", ["auto", ...imageProtocols]).pipe(
    Flag.withDefault("auto" as const),
    Flag.withDescription(
      "How the terminal shows images; `auto` finds out, `path` names their files. MILLRACE_IMAGES sets it for good",
    ),
  ),
}

const run = Command.make(
  "run",
  {
    graph,
    preset,
    set,
    seed,
    engine: withEngine,
    out,
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Tell what would be taken from the store and what would run, and run nothing"),
    ),
    cache: Flag.Boolean("cache").pipe(
      Flag.withDefault(true),
      Flag.withDescription("Take stages that were made before from the store; with --no-cache every stage runs"),
    ),
    ...shown,
  },
  later(async () => (await import("./runCommand.js")).runCommand),
).pipe(
  Command.withDescription("Run a graph of stages and keep everything it makes in a folder of its own"),
  Command.withExamples([
    { command: "millrace run instructgpt --seed 7" },
    { command: "millrace run clip --preset tiny" },
    { command: "millrace run ./dist/my-graph.js --set sft.steps=100" },
  ]),
)

const resume = Command.make(
  "resume",
  {
    run: theRun,
    out,
    ...shown,
  },
  later(async () => (await import("./resumeCommand.js")).resumeCommand),
).pipe(
  Command.withDescription(
    "Go on with a run that was stopped or killed, in its folder: stages that were finished are not run again, one with steps " +
      "goes on from its newest checkpoint, and the results are those of a run that was never stopped, to the bit. A stage " +
      "saves one a minute (MILLRACE_CHECKPOINT_SECONDS), and where it stops: at Ctrl-C (code 130) or SIGTERM (code 75)",
  ),
  Command.withExamples([{ command: "millrace resume latest" }]),
)

const describe = Command.make(
  "describe",
  {
    graph: Argument.String("graph").pipe(
      Argument.withDescription(
        `A built-in graph (${Object.keys(builtIn).join(", ")}), the path of a module whose default export is one, or a ` +
          `model of a paper (${paperNames.join(", ")})`,
      ),
    ),
    preset,
    set,
    size: Flag.String("size").pipe(
      Flag.withDescription("Of a model: one of its published sizes; without it they are listed"),
      Flag.optional,
    ),
    json,
  },
  later(async () => (await import("./describeCommand.js")).describeCommand),
).pipe(
  Command.withDescription(
    "Print the nodes, wires and settings of a graph; of a model also parameters, arithmetic and memory, at any size, " +
      "with nothing allocated",
  ),
  Command.withExamples([
    { command: "millrace describe instructgpt" },
    { command: "millrace describe dalle --preset paper" },
    { command: "millrace describe gpt --size gpt3-175b" },
  ]),
)

const draw = Command.make(
  "draw",
  {
    graph,
    preset,
    format: Flag.Literals("format", ["svg", "mermaid"]).pipe(
      Flag.withDefault("svg" as const),
      Flag.withDescription("An SVG picture, or mermaid text for a Markdown page"),
    ),
  },
  later(async () => (await import("./drawCommand.js")).drawCommand),
).pipe(Command.withDescription("Draw a graph, to stdout"))

export const millrace = Command.make("millrace").pipe(
  Command.withDescription("Typed graphs of models and stages: run them, look at them"),
  Command.withSharedFlags({
    debug: Flag.Boolean("debug").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Print the stack trace of an error"),
    ),
  }),
  Command.withSubcommands([
    run,
    resume,
    runs,
    report,
    exporting,
    explain,
    gc,
    describe,
    draw,
    profile,
    laws,
    engines,
    publish,
    verify,
    reproduce,
  ]),
)
