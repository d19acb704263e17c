/** Laws of one step, on an objective whose gradient is an input. */
import {
  type AdamW,
  adamW,
  float32,
  type HostTensors,
  type Objective,
  spec,
  type TrainStepConfig,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { referenceNorm } from "./reference.js"
import { distance, type Run, runner, stepper, type Trained } from "./training.js"

// The loss is Σ w·g, so its gradient is g: a matrix, which decays, and a bias, which does not.
const shapes = { matrix: [2, 3], bias: [3] } as const
const names = ["matrix", "bias"] as const
const linear = (decay?: boolean): Objective => ({
  name: "linear",
  paramSpecs: {
    matrix: { shape: shapes.matrix, init: zeros, ...(decay === undefined ? {} : { decay }) },
    bias: { shape: shapes.bias, init: zeros, ...(decay === undefined ? {} : { decay: !decay }) },
  },
  trainable: names,
  apply: (params, inputs) => ({
    loss: tf.addN(names.map((name) => tf.sum(tf.mul(params[name]!, inputs[name]!)))),
  }),
})

const off = 1e30
const rate = 0.125
const config = (optimizer: Partial<AdamW>, more: Partial<TrainStepConfig> = {}): TrainStepConfig => ({
  inputs: { matrix: spec("float32", shapes.matrix), bias: spec("float32", shapes.bias) },
  optimizer: { ...adamW, weightDecay: 0, ...optimizer },
  schedule: { kind: "constant", peak: rate, warmup: 0, floor: 1 },
  steps: 10,
  clip: off,
  ...more,
})

const of = (values: ReadonlyArray<number>): HostTensors => ({
  matrix: float32(shapes.matrix, values.slice(0, 6)),
  bias: float32(shapes.bias, values.slice(6)),
})
const flat = (tensors: HostTensors): ReadonlyArray<number> => names.flatMap((name) => [...tensors[name]!.data])
const nine = (value: fc.Arbitrary<number>) => fc.array(value, { minLength: 9, maxLength: 9 })
const weight = fc.double({ min: -2, max: 2, noNaN: true })
// Away from 0, where a sign is no rounding error.
const gradient = fc.tuple(fc.boolean(), fc.double({ min: 0.01, max: 8, noNaN: true })).map(([up, g]) => (up ? g : -g))

const after = async (run: Run, params: ReadonlyArray<number>, ...gradients: ReadonlyArray<ReadonlyArray<number>>) =>
  (await Effect.runPromise(run(of(params), gradients.map(of)))).at(-1)!
const everything = ({ params, optimizer }: Trained) => [
  ...flat(params),
  ...Object.values(optimizer).flatMap(({ data }) => [...data]),
]
const settings = { numRuns: 40 }

describe.each(["onnx", "tfjs:cpu"])("on %s", (engine) => {
  const on = runner(engine)
  /** Steps compiled once, for all examples of a law. */
  const withSteps = (
    configs: ReadonlyArray<TrainStepConfig>,
    check: (...runs: ReadonlyArray<Run>) => Promise<void>,
    objective = linear(),
  ): Promise<void> =>
    on(
      Effect.flatMap(
        Effect.forEach(configs, (each) => stepper(objective, each)),
        (runs) => Effect.promise(() => check(...runs)),
      ),
    )

  test("above the limit a step is that of the gradient scaled to the limit; below it clipping changes nothing, bit for bit", () =>
    withSteps([config({}, { clip: 4 }), config({})], (clipped, free) =>
      fc.assert(
        fc.asyncProperty(
          nine(weight),
          fc.oneof(nine(gradient), nine(fc.double({ min: -1, max: 1, noNaN: true }))),
          async (params, g) => {
            const norm = referenceNorm([g])
            const got = everything(await after(clipped!, params, g, g))
            if (norm <= 4) {
              expect(got).toEqual(everything(await after(free!, params, g, g)))
            } else {
              const scaled = g.map((x) => (x * 4) / norm)
              expect(distance(got, everything(await after(free!, params, scaled, scaled)))).toBeLessThanOrEqual(1e-5)
            }
          },
        ),
        settings,
      ),
    ))

  test("the first step moves every parameter by the learning rate against its gradient's sign, whatever its size", () =>
    withSteps([config({ epsilon: 1e-20 })], (run) =>
      fc.assert(
        fc.asyncProperty(nine(weight), nine(gradient), async (params, g) => {
          const moved = flat((await after(run!, params, g)).params)
          const wanted = params.map((p, i) => p - rate * Math.sign(g[i]!))
          expect(distance(moved, wanted)).toBeLessThanOrEqual(1e-5)
        }),
        settings,
      ),
    ))

  test("decay is decoupled: it takes rate · decay of a matrix's weights and nothing of a bias, at any scale of the gradient", () =>
    withSteps([config({ weightDecay: 0.5, epsilon: 1e-20 }), config({ epsilon: 1e-20 })], (decaying, plain) =>
      fc.assert(
        fc.asyncProperty(nine(weight), nine(gradient), fc.constantFrom(1e-3, 1, 1e3), async (params, g, scale) => {
          const scaled = g.map((x) => x * scale)
          const kept = flat((await after(decaying!, params, scaled)).params)
          const whole = flat((await after(plain!, params, scaled)).params)
          const wanted = whole.map((p, i) => p - (i < 6 ? rate * 0.5 * params[i]! : 0))
          expect(distance(kept, wanted)).toBeLessThanOrEqual(1e-5)
        }),
        settings,
      ),
    ))

  test("a parameter's own word on decay counts more than its number of axes", () =>
    withSteps(
      [config({ weightDecay: 0.5 })],
      async (run) => {
        const [params, still] = [new Array<number>(9).fill(1), new Array<number>(9).fill(0)]
        const { matrix, bias } = (await after(run!, params, still)).params
        expect([...matrix!.data]).toEqual(new Array(6).fill(1))
        expect([...bias!.data]).toEqual(new Array(3).fill(1 - rate * 0.5))
      },
      linear(false),
    ))

  test("a rate for a prefix multiplies the steps of the parameters that begin so, and of no others", () =>
    withSteps([config({}, { rates: { mat: 3, matrix: 100 } }), config({})], async (scaled, plain) => {
      const g = [1, -2, 3, -4, 5, -6, 7, -8, 9]
      const params = new Array<number>(9).fill(0)
      const [fast, slow] = [
        flat((await after(scaled!, params, g)).params),
        flat((await after(plain!, params, g)).params),
      ]
      expect(
        distance(
          fast,
          slow.map((p, i) => (i < 6 ? 3 * p : p)),
        ),
      ).toBeLessThanOrEqual(1e-6)
    }))

  test("a gradient that is always 0 moves nothing but what decays", () =>
    withSteps([config({ weightDecay: 0 })], async (run) => {
      const params = [1, -2, 3, -4, 5, -6, 7, -8, 9]
      const still = new Array<number>(9).fill(0)
      expect(flat((await after(run!, params, still, still, still)).params)).toEqual(params)
    }))

  const good = [1, -2, 3, -4, 5, -6, 7, -8, 9]
  test.each([
    ["a loss that is not a number", Number.NaN],
    ["an infinite loss", Number.POSITIVE_INFINITY],
    ["a gradient whose norm overflows", 1e25],
  ])(
    "%s changes neither parameters nor moments nor the step count, and the next step is as if it had not been",
    (_, bad) =>
      withSteps([config({ weightDecay: 0.1 })], async (run) => {
        const poison = good.map((g, i) => (i === 4 ? bad : g))
        const refused = await Effect.runPromise(run!(of(good), [good, poison, good].map(of)))
        const clean = await Effect.runPromise(run!(of(good), [good, good].map(of)))
        expect(refused.map(({ outputs }) => outputs.finite!.data[0])).toEqual([1, 0, 1])
        expect(everything(refused[1]!)).toEqual(everything(clean[0]!))
        expect(everything(refused[2]!)).toEqual(everything(clean[1]!))
      }),
  )

  test("a learning rate beyond float32 is refused while loss and gradient are still finite, before a weight is lost", () =>
    withSteps([config({}, { schedule: { kind: "constant", peak: 1e38, warmup: 0, floor: 1 } })], async (run) => {
      const left = await after(run!, good, good)
      expect(left.outputs.finite!.data[0]).toBe(0)
      expect(Number.isFinite(left.outputs.loss!.data[0])).toBe(true)
      expect(flat(left.params)).toEqual(good)
      expect(left.optimizer.step!.data[0]).toBe(0)
    }))
})
