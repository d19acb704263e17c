/** How far one step can take the parameters: what lets a step be refused before they are overwritten. */
import { adamW, float32, type HostTensors, type Objective, spec, type TrainStepConfig, zeros } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { seed } from "../../laws/replay.js"
import { type Reach, referenceNorm, referenceReach } from "./reference.js"
import { type Run, runner, stepper } from "./training.js"

// The loss is Σ w·g, so its gradient is g: a matrix, which decays, and a bias, which does not.
const shapes = { matrix: [2, 3], bias: [3] } as const
const names = ["matrix", "bias"] as const
const objective: Objective = {
  name: "linear",
  paramSpecs: { matrix: { shape: shapes.matrix, init: zeros }, bias: { shape: shapes.bias, init: zeros } },
  trainable: names,
  apply: (params, inputs) => ({ loss: tf.addN(names.map((name) => tf.sum(tf.mul(params[name]!, inputs[name]!)))) }),
}
const settingsOf = (rate: number, more: Partial<Reach>): Reach => ({
  ...adamW,
  epsilon: 1e-12,
  weightDecay: 0,
  rate,
  limit: 1e30,
  ...more,
})
const configOf = ({ rate, limit, ...optimizer }: Reach): TrainStepConfig => ({
  inputs: { matrix: spec("float32", shapes.matrix), bias: spec("float32", shapes.bias) },
  optimizer,
  schedule: { kind: "constant", peak: rate, warmup: 0, floor: 1 },
  steps: 10,
  clip: limit,
})
const of = (values: ReadonlyArray<number>): HostTensors => ({
  matrix: float32(shapes.matrix, values.slice(0, 6)),
  bias: float32(shapes.bias, values.slice(6)),
})
const flat = (tensors: HostTensors): ReadonlyArray<number> => names.flatMap((name) => [...tensors[name]!.data])
const nine = (value: fc.Arbitrary<number>) => fc.array(value, { minLength: 9, maxLength: 9 })
const sized = (from: number, to: number) =>
  fc.tuple(fc.boolean(), fc.double({ min: from, max: to, noNaN: true })).map(([up, e]) => (up ? 1 : -1) * 10 ** e)

const steps = async (run: Run, params: ReadonlyArray<number>, gradients: ReadonlyArray<ReadonlyArray<number>>) =>
  (await Effect.runPromise(run(of(params), gradients.map(of)))).map((left) => ({
    finite: left.outputs.finite!.data[0],
    params: flat(left.params),
  }))

/** A history that grows by β₂ / β₁ a step meets the bound of Cauchy and Schwarz. */
const growing = ({ beta1, beta2 }: Reach, count: number): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: count }, (_, t) => new Array<number>(9).fill(1e-3 * (beta2 / beta1) ** t))

const ordinary = [
  settingsOf(0.125, {}),
  settingsOf(0.125, { weightDecay: 4 }),
  // β₁² > β₂: clipping and epsilon alone bound the direction.
  settingsOf(0.125, { beta1: 0.9, beta2: 0.5, limit: 2, epsilon: 0.01 }),
]

describe.each(["onnx", "tfjs:cpu"])("on %s", (engine) => {
  const on = runner(engine)
  const withStep = (settings: Reach, check: (run: Run) => Promise<void>): Promise<void> =>
    on(Effect.flatMap(stepper(objective, configOf(settings)), (run) => Effect.promise(() => check(run))))

  test.each(ordinary.map((settings) => [settings.weightDecay, settings.beta2, settings] as const))(
    "no history of gradients takes the parameters further than the bound: decay %d, second moment %d",
    (_, __, settings) =>
      withStep(settings, (run) =>
        fc.assert(
          fc.asyncProperty(
            nine(sized(-3, 1)),
            fc.array(nine(fc.oneof(sized(-6, 3), fc.constant(0))), { minLength: 1, maxLength: 12 }),
            async (start, gradients) => {
              let before = start
              for (const [t, { params }] of (await steps(run, start, gradients)).entries()) {
                expect(referenceNorm([params])).toBeLessThanOrEqual(referenceReach(settings, t, before) * (1 + 1e-5))
                before = [...params]
              }
            },
          ),
          { seed, numRuns: 25 },
        ),
      ),
  )

  test("the bound is no larger than it must be: growing gradients come within 2 % of it", () => {
    const settings = ordinary[0]!
    return withStep(settings, async (run) => {
      const start = new Array<number>(9).fill(0)
      const left = await steps(run, start, growing(settings, 60))
      const [before, after] = [left.at(-2)!.params, left.at(-1)!.params]
      const bound = referenceReach(settings, 59, before)
      const reached = referenceNorm([after])
      expect(reached).toBeLessThanOrEqual(bound * (1 + 1e-5))
      const moved = referenceNorm([after.map((p, i) => p - before[i]!)])
      expect(moved).toBeGreaterThan(0.98 * referenceReach(settings, 59, start))
    })
  })

  // Beyond this the square of a norm is no float32.
  const edge = Math.sqrt(3.4028234663852886e38)
  test.each([
    [0.125, 0],
    [1e18, 0],
    [1e18, 1e-18],
    [1e18, 3e-18],
    [6e18, 1e-19],
  ])(
    "a step of rate %d with decay %d is refused just where the bound passes what float32 can hold",
    (rate, weightDecay) => {
      const settings = settingsOf(rate, { weightDecay })
      return withStep(settings, (run) =>
        fc.assert(
          fc.asyncProperty(nine(sized(17, 19.1)), nine(sized(-2, 0)), async (start, gradient) => {
            const reach = referenceReach(settings, 0, start)
            const size = referenceNorm([start])
            fc.pre(Math.abs(reach / edge - 1) > 1e-4 && Math.abs(size / edge - 1) > 1e-4)
            const [left] = await steps(run, start, [gradient])
            expect(left!.finite).toBe(reach < edge && size < edge ? 1 : 0)
            if (left!.finite === 1) expect(referenceNorm([left!.params])).toBeLessThan(edge)
            else expect(left!.params).toEqual(start.map(Math.fround))
          }),
          { seed, numRuns: 25 },
        ),
      )
    },
  )
})
