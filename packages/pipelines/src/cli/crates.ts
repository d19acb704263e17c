/** The options of `millrace publish`, `verify` and `reproduce`. */
import { engineNames } from "@millrace/core/engine"
import { Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { json, out, quiet } from "./arguments.js"
import { later } from "./later.js"
import { ownData } from "./ownData.js"
import { theRun } from "./theRun.js"

const crate = Argument.String("crate").pipe(
  Argument.withDescription("The path of a crate that `millrace publish` wrote"),
)

const module = Flag.String("module").pipe(
  Flag.withMetavar("path"),
  Flag.withDescription(
    "A module that exports node types as `registry`, where the graph has some of its own; may be given several times. " +
      "Its code runs: a crate brings none, and none is taken from it",
  ),
  Flag.atLeast(0),
)

export const publish = Command.make(
  "publish",
  {
    run: theRun,
    out,
    to: Flag.String("to").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Where to write the crate; beside you, as graph-run.crate.zip, unless said"),
      Flag.optional,
    ),
    license: Flag.String("license").pipe(
      Flag.withDescription("The licence of what you publish: an SPDX name such as CC-BY-4.0, an address, or a text"),
      Flag.optional,
    ),
    author: Flag.String("author").pipe(Flag.withDescription("Who publishes it"), Flag.optional),
    tolerance: Flag.Finite("tolerance").pipe(
      Flag.withSchema(Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
      Flag.withMetavar("share"),
      Flag.withDescription(
        "How far a number may be from the published one, as a share of it, to count as reproduced on another engine or " +
          "processor; 0.1 unless said, and always 0.05",
      ),
      Flag.optional,
    ),
    module,
    programs: Flag.Boolean("programs").pipe(
      Flag.withDefault(true),
      Flag.withDescription("Write what the stages compute as ONNX, which takes about a second a stage"),
    ),
    withData: Flag.String("with-data").pipe(
      Flag.withMetavar("folder"),
      Flag.withOptionalValue(ownData),
      Flag.withDescription(
        "Publish the data too: the files that the run's stages read, as they are on this machine; with =folder the files of that " +
          "folder, as data/files. Without it no data are published",
      ),
      Flag.optional,
    ),
    laws: Flag.String("laws").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription(
        "What `millrace laws --json` printed for the graph of the run: a longer check, in place of the examples of each law, at most ten, " +
          "that publishing tries",
      ),
      Flag.optional,
    ),
    noLaws: Flag.Boolean("no-laws").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Check no laws, and say so in the crate"),
    ),
    json,
  },
  later(async () => (await import("./publishCommand.js")).publishCommand),
).pipe(
  Command.withDescription(
    "Write a run as a Workflow Run RO-Crate: one zip archive with the graph, programs as ONNX, weights as safetensors with " +
      "cards, descriptions of the data, numbers, laws that were checked, environment and report. The same run gives the same bytes",
  ),
  Command.withExamples([{ command: "millrace publish .runs/3f9c2a1b --license CC-BY-4.0" }]),
)

export const verify = Command.make(
  "verify",
  { crate, module, json },
  later(async () => (await import("./verifyCommand.js")).verifyCommand),
).pipe(
  Command.withDescription(
    "Check a crate without running anything: every byte of the archive, the digest of every file and artifact, what its " +
      "profile requires, and the graph. The code is 3 where something is wrong",
  ),
)

export const reproduce = Command.make(
  "reproduce",
  {
    crate,
    module,
    engine: Flag.Literals("engine", engineNames).pipe(
      Flag.withDescription("Another engine than the published run's: its numbers then count within the tolerance"),
      Flag.optional,
    ),
    keep: Flag.String("keep").pipe(
      Flag.withMetavar("folder"),
      Flag.withDescription("Where to unpack and run; a temporary folder unless said, which is kept on a mismatch"),
      Flag.optional,
    ),
    quiet,
    json,
  },
  later(async () => (await import("./reproduceCommand.js")).reproduceCommand),
).pipe(
  Command.withDescription(
    "Run a crate's graph again from the crate alone, with nothing taken from earlier runs, and compare: the same engine and " +
      "processor must give the same bits, others numbers within the tolerance that the crate states. The code is 4 where " +
      "something differs",
  ),
)
