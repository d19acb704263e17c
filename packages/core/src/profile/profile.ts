/**
 * Where the time and memory of a tensor function go, by the nodes of its graph.
 *
 *   const { paths, products } = yield* profile(trainStep(objective, config))
 */
import { Effect } from "effect"
import { type CompileError, Engine, type EngineError, type State, type TensorFunction } from "../engine.js"
import { EngineFailed } from "../errors.js"
import { flopsOf } from "../program/flops.js"
import type { Equation } from "../program/ir.js"
import { liveness } from "../program/liveness.js"
import { type HostTensors, showSpec } from "../tensor.js"
import { attribute } from "./attribute.js"
import { medianOf, type Parts, typical } from "./measure.js"
import { type PathRow, pathTree } from "./pathTree.js"
import { type ProductPeak, productPeak } from "./productPeak.js"
import { randomInputs, randomState } from "./randomInputs.js"
import { type Timeline, timelineOf } from "./timeline.js"

export interface ProfileOptions {
  /** First values of the state, by slot; random where it is not given. */
  readonly state?: Readonly<Record<string, HostTensors>>
  /** Random where they are not given. */
  readonly inputs?: HostTensors
  /** How many calls are measured; 10 unless given. */
  readonly runs?: number
  /** How many calls before them do not count; 3 unless given. */
  readonly warmup?: number
  /** Whether to measure what the machine makes of matrix products at most, which takes a second; it is unless said. */
  readonly peak?: boolean
}

/** One kernel of the program. */
export interface EquationProfile {
  readonly op: string
  readonly path: ReadonlyArray<string>
  /** The types of what it makes. */
  readonly makes: string
  readonly milliseconds: number
  readonly flops: number
  readonly bytes: number
}

export interface Profile {
  readonly name: string
  readonly engine: string
  readonly runs: number
  /** Milliseconds of a call: the mean over the middle half of the runs. */
  readonly milliseconds: number
  /** Milliseconds of a call while nothing is recorded: the median of as many runs. */
  readonly unprofiled: number
  readonly parts: Parts
  /** By node, and under `(engine)` what is not of any node. The rows of one level together are the whole call. */
  readonly paths: ReadonlyArray<PathRow>
  /** Those that took longest first. */
  readonly equations: ReadonlyArray<EquationProfile>
  readonly products: {
    readonly milliseconds: number
    readonly flops: number
    readonly peak: ProductPeak | null
  }
  readonly memory: {
    /** Bytes of the values that the program makes, when they are most; by lifetimes, over its schedule. */
    readonly peak: number
    /** Where that is. */
    readonly peakPath: ReadonlyArray<string>
    /** Bytes of state, inputs and constants. */
    readonly held: number
    /** Most bytes that the engine's allocator has given out; null where it does not say. */
    readonly allocated: number | null
    /** Bytes of the engine's process that are resident. */
    readonly resident: number
  }
  /** One call, the median of them, as it happened. */
  readonly timeline: Timeline
}

const outside = "(outside of nodes)"
const engineRow = "(engine)"
const unattributed = [engineRow, "kernels of no node"]

/** Of two measurements; the machine may have been busy with something else in one. */
const better = (a: ProductPeak | null, b: ProductPeak | null): ProductPeak | null =>
  a === null || b === null ? (a ?? b) : a.gigaflopsPerSecond >= b.gigaflopsPerSecond ? a : b

/** What has no path is the step's own: clipping and the optimiser. */
export const pathOf = ({ path }: Equation): ReadonlyArray<string> => (path === "" ? [outside] : path.split(" > "))

/**
 * Compiles a tensor function, runs it some times on the present engine and measures.
 * @fails EngineFailed  the engine does not measure kernels, or fails
 */
export const profile = (
  fn: TensorFunction,
  options: ProfileOptions = {},
): Effect.Effect<Profile, CompileError | EngineError, Engine> =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const { runs = 10, warmup = 3 } = options
      const measuredPeak = options.peak === false ? Effect.succeed(null) : Effect.scoped(productPeak)
      const executable = yield* engine.compile(fn)
      if (executable.profile === null) {
        return yield* new EngineFailed({
          where: `profile > ${fn.name}`,
          expected: "an engine that measures its kernels",
          received: engine.name,
          fix: "use the engine onnx",
        })
      }
      const before = yield* measuredPeak
      const state: Record<string, State> = {}
      for (const [slot, specs] of Object.entries(fn.state)) {
        state[slot] = yield* engine.allocate(options.state?.[slot] ?? randomState(specs, slot))
      }
      const inputs = options.inputs ?? randomInputs(fn.inputs, executable.program)
      const measured = yield* executable.profile({ state, inputs }, { runs, warmup })
      const peak = better(before, yield* measuredPeak)
      const { program } = measured
      const { equations } = program
      const { total, parts, kernels: durations, work, median } = typical(measured)
      const memory = liveness(program)
      const flops = equations.map(flopsOf)
      const { places, equations: taken, rest, products } = attribute(measured, durations, flops)
      return {
        name: fn.name,
        engine: engine.version,
        runs,
        milliseconds: total,
        unprofiled: medianOf(measured.unprofiled),
        parts,
        paths: pathTree([
          ...equations.map((equation, i) => ({
            path: pathOf(equation),
            ...taken[i]!,
            flops: flops[i]!,
            bytes: memory.made[i]!,
            bytesAtPeak: memory.atPeak[i]!,
          })),
          { path: unattributed, ...rest },
          { path: [engineRow, "session"], milliseconds: parts.session },
          { path: [engineRow, "around the session"], milliseconds: parts.engine },
          { path: [engineRow, "between processes"], milliseconds: parts.crossing },
          ...[...work].map(([name, milliseconds]) => ({ path: [engineRow, name], milliseconds })),
        ]),
        equations: equations
          .map((equation, i) => ({
            op: equation.op,
            path: pathOf(equation),
            makes: equation.outputs.map(showSpec).join(", "),
            milliseconds: taken[i]!.milliseconds,
            flops: flops[i]!,
            bytes: memory.made[i]!,
          }))
          .toSorted((a, b) => b.milliseconds - a.milliseconds),
        products: { milliseconds: products, flops: flops.reduce((all, one) => all + one, 0), peak },
        memory: {
          peak: memory.peak,
          peakPath: memory.peakAt < 0 ? [] : pathOf(equations[memory.peakAt]!),
          held: memory.held,
          allocated: measured.allocated,
          resident: measured.resident,
        },
        timeline: timelineOf(fn.name, measured, median, (i) => {
          const place = places[i]
          return typeof place === "number" ? pathOf(equations[place]!) : unattributed
        }),
      }
    }),
  )
