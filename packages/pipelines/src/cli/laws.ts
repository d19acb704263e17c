/** The options of `millrace laws`. */
import { Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { graph, preset, set } from "./arguments.js"
import { later } from "./later.js"

export const laws = Command.make(
  "laws",
  {
    graph,
    preset,
    set,
    node: Flag.String("node").pipe(
      Flag.withMetavar("name"),
      Flag.withDescription("Only this node, as `outer.inner` or by its last name; may be given several times"),
      Flag.atLeast(0),
    ),
    size: Flag.String("size").pipe(
      Flag.withMetavar("name=size"),
      Flag.withDescription("In a graph of stages: a size that no stage tells; may be given several times"),
      Flag.atLeast(0),
    ),
    seed: Flag.Int("seed").pipe(
      Flag.withDefault(0),
      Flag.withDescription("What the examples are drawn from: another one tries others"),
    ),
    runs: Flag.Int("runs").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
      Flag.withDefault(30),
      Flag.withDescription("How many examples of each law"),
    ),
    seconds: Flag.Int("seconds").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 86_400 }))),
      Flag.withDefault(10),
      Flag.withDescription("The time of each law, after which no further example is tried"),
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Print every law, verdict and counterexample as one JSON document"),
    ),
  },
  later(async () => (await import("./lawsCommand.js")).lawsCommand),
).pipe(
  Command.withDescription(
    "Try the laws of every tensor node of a graph on small random inputs: those that its ports imply (the same inputs " +
      "give the same bits, outputs are what the ports say and finite, nothing is changed or left behind, rows of a batch " +
      "do not act on each other, gradients are the slopes of differences), and those that it carries. In a graph of " +
      "stages, the nodes of the objectives that its stages run. A broken law is told with its smallest counterexample " +
      "and the command that replays it, and the code is 1.",
  ),
  Command.withExamples([
    { command: "millrace laws instructgpt" },
    { command: "millrace laws ./dist/my-objective.js --seed 7 --runs 1000 --node loss" },
  ]),
)
