/** What the small images go through before an upsampler sees them in training. */
import {
  Engine,
  forward,
  graph,
  type HostTensor,
  type HostTensors,
  type Key,
  objectiveOf,
  spec,
  tensor,
} from "@millrace/core"
import { corruption, drawDegradation } from "@millrace/models"
import { Effect } from "effect"
import type { UpsamplerStageConfig } from "./upsamplerConfig.js"

type Corruption = UpsamplerStageConfig["corruption"]
type Shape = readonly [b: number, y: number, x: number, c: number]

const blurred = (taps: number, sigma: number) =>
  graph("blur", { image: tensor("float32", "b y x c", "[-1,1]") })
    .node("corrupted", corruption.blur({ taps, sigma }), { image: "image" })
    .output({ corrupted: "corrupted" })

const degraded = graph("degrade", {
  image: tensor("float32", "b y x 3", "[-1,1]"),
  order: tensor("int32", "b 4", "operation"),
  rows: tensor("float32", "b k", "weight"),
  columns: tensor("float32", "b k", "weight"),
  resampling: tensor("int32", "b", "resampling"),
  level: tensor("float32", "b", "[-1,1]"),
  noise: tensor("float32", "b y x 3", "noise"),
  quality: tensor("float32", "b", "quality"),
})
  .node("corrupted", corruption.degrade({}), {
    image: "image",
    order: "order",
    rows: "rows",
    columns: "columns",
    resampling: "resampling",
    level: "level",
    noise: "noise",
    quality: "quality",
  })
  .output({ corrupted: "corrupted" })

/** What chance decides of a batch. */
const drawsOf = (config: Corruption, key: Key, shape: Shape): HostTensors =>
  config.kind === "blur" ? {} : { ...drawDegradation(key, shape) }

/**
 * A corruption made ready for batches of one shape. It lives as long as the scope.
 * @returns  float32  b y x c, [-1,1]
 */
export const compileCorruption = (config: Corruption, shape: Shape, key: Key) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const network = config.kind === "blur" ? blurred(config.taps, config.sigma) : degraded
    const inputs = { image: spec("float32", shape), ...drawsOf(config, key, shape) }
    const specs = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [name, spec(dtype, shape)]),
    )
    const executable = yield* engine.compile(forward(objectiveOf(network), specs, {}))
    return (image: HostTensor, key: Key) =>
      Effect.map(
        executable.run({ state: {}, inputs: { image, ...drawsOf(config, key, shape) } }),
        ({ corrupted }) => corrupted!,
      )
  })
