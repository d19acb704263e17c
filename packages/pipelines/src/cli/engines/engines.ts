/** The options of `millrace engines`, which tells of the engines and installs those on native TensorFlow. */
import { nativeEngineNames } from "@millrace/core/engine"
import { Argument, Command, Flag } from "effect/cli"
import { json, quiet } from "../arguments.js"
import { later } from "../later.js"

const name = Argument.Literals("engine", nativeEngineNames).pipe(
  Argument.withDescription("`tfjs-node` computes on the processor, `tfjs-node-gpu` on a GPU of NVIDIA"),
)

const add = Command.make(
  "add",
  {
    name,
    wheels: Flag.String("wheel").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("A wheel that pip would fetch, as a file; may be given several times"),
      Flag.atLeast(0),
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Tell what would be fetched, how much and where to, and fetch nothing"),
    ),
    quiet,
  },
  later(async () => (await import("./addCommand.js")).addCommand),
).pipe(
  Command.withDescription(
    "Install an engine on native TensorFlow in the user's cache, for every project: npm fetches tfjs-node, pip the wheel that has " +
      "TensorFlow's libraries, each as it is configured and checked against a pinned digest; the C++ compiler builds the addon. " +
      "Interrupted, it goes on where it was when it is called again",
  ),
  Command.withExamples([
    { command: "millrace engines add tfjs-node" },
    { command: "millrace engines add tfjs-node-gpu --dry-run" },
  ]),
)

const remove = Command.make(
  "remove",
  { name },
  later(async () => (await import("./removeCommand.js")).removeCommand),
).pipe(Command.withDescription("Remove what `engines add` installed, and what it has kept"))

export const engines = Command.make(
  "engines",
  { json },
  later(async () => (await import("./listCommand.js")).listCommand),
).pipe(
  Command.withDescription("Start every engine and tell which of them work on this machine, and why the others do not"),
  Command.withSubcommands([add, remove]),
)
