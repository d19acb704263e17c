/** The options of the commands that look at runs: `runs`, `report` and `export`. */
import { Argument, Command, Flag } from "effect/cli"
import { json, out } from "./arguments.js"
import { later } from "./later.js"
import { howNamed, theRun } from "./theRun.js"

const ls = Command.make(
  "ls",
  { out, json },
  later(async () => (await import("./runsLsCommand.js")).runsLsCommand),
).pipe(
  Command.withDescription("List the runs of a folder, the newest first, and what is wrong with those that are damaged"),
)

const show = Command.make(
  "show",
  { run: theRun, out, json },
  later(async () => (await import("./runsShowCommand.js")).runsShowCommand),
).pipe(Command.withDescription("Tell what a run was: its stages with times and digests, tables, settings, environment"))

const diff = Command.make(
  "diff",
  {
    a: Argument.String("a").pipe(Argument.withDescription(`A run: ${howNamed}`)),
    b: Argument.String("b").pipe(Argument.withDescription("Another one")),
    out,
    json,
  },
  later(async () => (await import("./runsDiffCommand.js")).runsDiffCommand),
).pipe(
  Command.withDescription(
    "Tell what two runs differ in (values of configs, seed, engine, versions) and what it changed: the stages whose digests " +
      "differ, and numbers side by side",
  ),
)

const rm = Command.make(
  "rm",
  {
    runs: Argument.String("run").pipe(Argument.withDescription(`A run: ${howNamed}`), Argument.atLeast(1)),
    out,
    yes: Flag.Boolean("yes").pipe(
      Flag.withDefault(false),
      Flag.withAlias("y"),
      Flag.withDescription("Do not ask; needed where there is no terminal"),
    ),
    json,
  },
  later(async () => (await import("./runsRmCommand.js")).runsRmCommand),
).pipe(
  Command.withDescription(
    "Remove runs that no process is at work on. The store keeps what they made: `millrace gc` removes what no run uses",
  ),
)

export const runs = Command.make("runs").pipe(
  Command.withDescription("List, show, compare and remove runs"),
  Command.withExamples([{ command: "millrace runs diff 3f9c latest" }]),
  Command.withSubcommands([ls, show, diff, rm]),
)

const module = Flag.String("module").pipe(
  Flag.withMetavar("path"),
  Flag.withDescription(
    "A module that exports node types as `registry`, in place of the one that the run's graph came from; may be given several times",
  ),
  Flag.atLeast(0),
)

export const report = Command.make(
  "report",
  {
    run: theRun,
    with: Flag.String("with").pipe(
      Flag.withMetavar("run"),
      Flag.withDescription("Another run: one page that compares the two"),
      Flag.optional,
    ),
    to: Flag.String("to").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Where to write; report.html in the run's folder, a comparison beside you, unless said"),
      Flag.optional,
    ),
    module,
    out,
    quiet: Flag.Boolean("quiet").pipe(
      Flag.withDefault(false),
      Flag.withAlias("q"),
      Flag.withDescription("Say nothing but where the page is"),
    ),
    json,
  },
  later(async () => (await import("./reportCommand.js")).reportCommand),
).pipe(
  Command.withDescription("Write the report of a run anew from its folder, or a page that compares two runs"),
  Command.withExamples([{ command: "millrace report latest" }, { command: "millrace report 3f9c --with latest" }]),
)

export const exporting = Command.make(
  "export",
  {
    run: theRun,
    stage: Argument.String("stage").pipe(
      Argument.withDescription("A stage, or stage.port where it has several outputs; not needed for tensorboard"),
      Argument.optional,
    ),
    format: Flag.Literals("format", ["safetensors", "onnx", "tensorboard"]).pipe(
      Flag.withDescription(
        "safetensors: a folder for transformers where it has the model, else the artifact's own files, with a card; onnx: what the " +
          "stage computes, with its weights where they fit; tensorboard: the numbers of all steps",
      ),
    ),
    to: Flag.String("to").pipe(
      Flag.withMetavar("folder"),
      Flag.withDescription("Where to write: a new or an empty folder"),
    ),
    module,
    out,
    json,
  },
  later(async () => (await import("./exportCommand.js")).exportCommand),
).pipe(
  Command.withDescription("Write what a run made in the forms of other programs"),
  Command.withExamples([
    { command: "millrace export latest ppo --format safetensors --to policy" },
    { command: "millrace export latest --format tensorboard --to scalars" },
  ]),
)
