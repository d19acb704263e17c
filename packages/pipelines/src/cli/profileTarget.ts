/** What `millrace profile` measures of a graph: a stage's tensor function, or a tensor graph's training step. */
import {
  adamW,
  BadConfig,
  didYouMean,
  type Failure,
  forwardSubject,
  type Graph,
  isFailure,
  objectiveOf,
  outlinesOf,
  resolveSizes,
  ShapeMismatch,
  type Sizes,
  type StageOutline,
  type Subject,
  trainingSubject,
} from "@millrace/core"
import { Effect } from "effect"
import { type Ended, failed, usage } from "./exit.js"

export interface Target {
  readonly graph: Graph
  /** A stage of a graph of stages: `pretrain`. */
  readonly stage: string | undefined
  /** One of the stage's tensor functions. */
  readonly fn: string | undefined
  readonly sizes: Sizes
}

const wrong = (where: string, expected: string, received: string, fix: string): BadConfig =>
  new BadConfig({ where, expected, received, fix })

/** A name among those that there are; where there is only one it need not be said. */
const choose = (where: string, kind: string, name: string | undefined, names: ReadonlyArray<string>): string => {
  if (name === undefined && names.length === 1) return names[0]!
  if (name !== undefined && names.includes(name)) return name
  throw name === undefined
    ? wrong(where, `the name of a ${kind}`, "none", `name one: ${names.map((one) => `--${kind} ${one}`).join(", ")}`)
    : wrong(where, `a ${kind} that runs tensors`, `"${name}"`, didYouMean(name, names))
}

/** A stage that cannot tell yet, for want of a size, counts: it says what it lacks when it is chosen. */
const runsTensors = ({ functions }: StageOutline): boolean => {
  try {
    return Object.keys(functions()).length > 0
  } catch (error) {
    if (error instanceof BadConfig) return true
    throw error
  }
}

const ofStage = ({ graph, stage, fn, sizes }: Target): Subject => {
  const outlines = outlinesOf(graph, sizes).filter(runsTensors)
  if (outlines.length === 0) {
    throw wrong(
      graph.name,
      "a stage that tells which tensor functions it runs",
      `stages ${graph.nodes.map(({ name }) => name).join(", ")}, none of which does`,
      "give one of them an outline, or profile its objective, which is a graph of tensors",
    )
  }
  const names = outlines.map((one) => one.stage)
  const chosen = choose(graph.name, "stage", stage, names)
  const functions = outlines[names.indexOf(chosen)]!.functions()
  const first = Object.keys(functions)[0]!
  return functions[choose(`${graph.name} > ${chosen}`, "function", fn ?? first, Object.keys(functions))]!()
}

/** A schedule and an optimiser cost the same whatever their numbers are. */
const plainTraining = {
  steps: 1,
  schedule: { kind: "constant", peak: 1e-4, warmup: 0, floor: 1 },
  optimizer: adamW,
  clip: 1,
} as const

const ofTensors = ({ graph, stage, fn, sizes }: Target): Subject => {
  if (stage !== undefined || fn !== undefined) {
    throw wrong(
      graph.name,
      "a graph of stages for --stage and --function",
      "a graph of tensor nodes",
      "leave them out: a graph with a loss is profiled as a training step, any other as a forward pass",
    )
  }
  const objective = objectiveOf(graph)
  const { inputs } = resolveSizes(graph, sizes)
  return "loss" in graph.outputs && objective.trainable.length > 0
    ? trainingSubject(objective, { inputs, ...plainTraining })
    : forwardSubject(objective, inputs)
}

/** Sizes are given to the command as options. */
const asOptions = (error: Failure): string =>
  error.fix.replace(/^give sizes: \{ (.*) \}$/, (_, sizes: string) =>
    sizes.replace(/(\w+): …,?/g, "--size $1=…").replace(/^/, "give "),
  )

/** @fails Ended  2: no such stage or function, or sizes that are missing or do not fit */
export const profileTarget = (target: Target): Effect.Effect<Subject, Ended> =>
  Effect.try({
    try: () => (target.graph.level === "stage" ? ofStage(target) : ofTensors(target)),
    catch: (error) => {
      if (error instanceof ShapeMismatch) return usage(new ShapeMismatch({ ...error, fix: asOptions(error) }))
      return isFailure(error) ? usage(error) : failed(error)
    },
  })
