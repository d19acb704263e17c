/** The options of `millrace profile`. */
import { Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { graph, json, preset, set } from "./arguments.js"
import { later } from "./later.js"

export const profile = Command.make(
  "profile",
  {
    graph,
    preset,
    set,
    stage: Flag.String("stage").pipe(
      Flag.withDescription(
        "In a graph of stages: the stage whose step is measured, as `outer.inner` where graphs nest",
      ),
      Flag.optional,
    ),
    fn: Flag.String("function").pipe(
      Flag.withDescription("Another tensor function of the stage than its first, such as `experience` of ppo"),
      Flag.optional,
    ),
    size: Flag.String("size").pipe(
      Flag.withMetavar("name=size"),
      Flag.withDescription("The size of an axis, or one that no stage tells; may be given several times"),
      Flag.atLeast(0),
    ),
    runs: Flag.Int("runs").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      Flag.withDefault(10),
      Flag.withDescription("How many runs are measured, and as many with nothing recorded"),
    ),
    engine: Flag.Literals("engine", ["onnx", "onnx:webgpu"]).pipe(
      Flag.withDefault("onnx" as const),
      Flag.withDescription("The engines that measure their kernels"),
    ),
    trace: Flag.String("trace").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Write one run as a Chrome trace, for chrome://tracing or ui.perfetto.dev"),
      Flag.optional,
    ),
    json,
  },
  later(async () => (await import("./profileCommand.js")).profileCommand),
).pipe(
  Command.withDescription(
    "Measure where the time and memory of a step go, by node, and how near its matrix products come to the most that this " +
      "machine makes of them. A graph of tensors with an output `loss` is measured as a training step, any other as a " +
      "forward pass, both on random inputs; of a graph of stages one stage's step is measured at its configured sizes, " +
      "and no stage is run. Time that is of no node is under (engine), what a step does outside of nodes, clipping and " +
      "the optimiser, under (outside of nodes). A node's figures include those of the nodes inside it, forward and " +
      "backward; `made` is what its kernels make, `at peak` how much of it lives when the memory of the step is most.",
  ),
  Command.withExamples([
    { command: "millrace profile instructgpt --stage pretrain" },
    { command: "millrace profile instructgpt --stage ppo --function experience --set ppo.episodes=64" },
    { command: "millrace profile ./dist/my-objective.js --size b=8 --size t=128 --trace step.json" },
  ]),
)
