import {
  type Average,
  adamW,
  decodeSafetensors,
  float32,
  type HostTensors,
  NotFinite,
  type Objective,
  spec,
  zeros,
} from "@millrace/core"
import { type FitOptions, fit, makeTrainer } from "@millrace/pipelines"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { stageRunner } from "./onStage.js"

const on = stageRunner()

/** Least squares in one dimension, `offset` frozen: the loss is the mean of (x · slope + offset − y)². */
const line: Objective = {
  name: "line",
  paramSpecs: { slope: { shape: [1], init: zeros }, offset: { shape: [1], init: zeros } },
  trainable: ["slope"],
  apply: ({ slope, offset }, { x, y }) => {
    const miss = tf.sub(tf.add(tf.mul(x!, slope!), offset!), y!)
    return { loss: tf.mean(tf.square(miss)), worst: tf.max(tf.abs(miss)), misses: miss }
  },
}
const points = (...x: ReadonlyArray<number>): HostTensors => ({
  x: float32([4], x),
  y: float32(
    [4],
    x.map((at) => 3 * at + 2),
  ),
})
const good = points(-1, 0, 1, 2)
const bad = points(-1, 0, Number.NaN, 2)
const options: FitOptions = {
  objective: line,
  inputs: { x: spec("float32", [4]), y: spec("float32", [4]) },
  initial: { slope: float32([1], [0]), offset: float32([1], [2]) },
  config: {
    steps: 150,
    schedule: { kind: "constant", peak: 0.1, warmup: 0, floor: 1 },
    optimizer: { ...adamW, weightDecay: 0 },
    clip: 10,
  },
  batch: () => Effect.succeed(good),
  amount: 4,
  unit: "points",
}

test("a fit of a line finds its slope, tells every step, and returns the frozen offset as it was", async () => {
  const { result, events } = await on(fit(options))
  expect(result.slope!.data[0]).toBeCloseTo(3, 1)
  expect([...result.offset!.data]).toEqual([2])
  const steps = events.flatMap((event) => (event.type === "stage.step" ? [event] : []))
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1))
  expect(steps.every((event) => event.steps === 150 && event.amount === 4 && event.unit === "points")).toBe(true)
  expect(Object.keys(steps[0]!.values).sort()).toEqual(["gradientNorm", "learningRate", "loss", "worst"])
  expect(steps[0]!.values.loss).toBeCloseTo((9 + 0 + 9 + 36) / 4, 4)
  expect(steps[0]!.values.worst).toBeCloseTo(6, 4)
  expect(steps.at(-1)!.values.loss).toBeLessThan(0.1)
})

test("a fit of no steps returns what it was given", async () => {
  const { result, events } = await on(fit({ ...options, config: { ...options.config, steps: 0 } }))
  expect([...result.slope!.data, ...result.offset!.data]).toEqual([0, 2])
  expect(events).toEqual([])
})

test("what is watched is seen before the first step, every so many, and after the last, with the parameters of that step", async () => {
  const config = { ...options.config, steps: 7 }
  const seen: Array<readonly [step: number, slope: number]> = []
  const watch: FitOptions["watch"] = {
    every: 3,
    look: (step, trainer) =>
      Effect.map(Effect.orDie(trainer.params.read()), ({ slope }) => void seen.push([step, slope!.data[0]!])),
  }
  await on(fit({ ...options, config, watch }))
  expect(seen.map(([step]) => step)).toEqual([0, 3, 6, 7])
  const three = await on(fit({ ...options, config: { ...config, steps: 3 } }))
  expect(seen[0]![1]).toBe(0)
  expect(seen[1]![1]).toBe(three.result.slope!.data[0])
})

test("a batch that fails stops the fit with its own error, after the steps before it", async () => {
  const broken = fit({
    ...options,
    batch: (step) => (step === 2 ? Effect.fail("no such file" as const) : Effect.succeed(good)),
  })
  const { result, events } = await on(Effect.flip(broken))
  expect(result).toBe("no such file")
  expect(events).toHaveLength(2)
})

/** The averages after each step, in plain loops over what the weights were. */
const averagesOf = ({ decay, start, every = 1 }: Average, first: number, slopes: ReadonlyArray<number>) => {
  let sum = start === "weights" ? first : 0
  let updates = 0
  return slopes.map((slope, i) => {
    if ((i + 1) % every === 0) {
      sum = decay * sum + (1 - decay) * slope
      updates++
    }
    // Before its first update one that began as zero says nothing: the weights do.
    if (start === "zero" && updates === 0) return slope
    return start === "weights" ? sum : sum / (1 - decay ** updates)
  })
}

const steps = 7
const slopesOf = (batches: ReadonlyArray<HostTensors>) =>
  on(
    Effect.gen(function* () {
      const trainer = yield* makeTrainer(options)
      const slopes: Array<number> = []
      for (const batch of batches) {
        yield* Effect.ignore(trainer.step(batch))
        slopes.push((yield* trainer.weights).slope!.data[0]!)
      }
      return slopes
    }),
  )

describe.each<[string, Average]>([
  ["begun as the weights", { decay: 0.9, start: "weights" }],
  ["begun as zero", { decay: 0.9, start: "zero" }],
  ["of every third step", { decay: 0.5, start: "zero", every: 3 }],
  ["of decay 0, the last weights,", { decay: 0, start: "zero" }],
])("an average %s", (_, average) => {
  const averaged = { ...options, initial: { slope: float32([1], [-1]), offset: float32([1], [2]) } }
  const config = { ...options.config, steps, average }

  test("is what a fit returns: that of a plain loop over the weights of the same steps", async () => {
    const { result: slopes } = await slopesOf(Array.from({ length: steps }, () => good))
    const { result } = await on(fit({ ...options, config }))
    expect(result.slope!.data[0]).toBeCloseTo(averagesOf(average, 0, slopes).at(-1)!, 5)
    expect([...result.offset!.data]).toEqual([2])
    expect(average.decay === 0 || Math.abs(result.slope!.data[0]! - slopes.at(-1)!) > 1e-2).toBe(true)
  })

  test("of no step at all is the weights that training began with", async () => {
    const { result } = await on(fit({ ...averaged, config: { ...config, steps: 0 } }))
    expect(result).toEqual(averaged.initial)
  })

  test("is not touched by a step that is refused, and neither is the training by it", async () => {
    const batches = [good, good, bad, good, bad, good, good]
    const { result } = await on(
      Effect.gen(function* () {
        const trainer = yield* makeTrainer({ ...averaged, config })
        const plain = yield* makeTrainer(averaged)
        const [averages, slopes]: [Array<number>, Array<number>] = [[], []]
        for (const batch of batches) {
          const done = yield* Effect.match(trainer.step(batch), { onFailure: () => false, onSuccess: () => true })
          expect(done).toBe(batch === good)
          if (!done) continue
          yield* plain.step(batch)
          averages.push((yield* trainer.weights).slope!.data[0]!)
          slopes.push((yield* plain.params.read()).slope!.data[0]!)
          expect(yield* trainer.params.read()).toEqual(yield* plain.params.read())
        }
        return { averages, slopes }
      }),
    )
    const expected = averagesOf(average, -1, result.slopes)
    result.averages.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5)
    })
  })
})

test("a step that is not finite stops the fit with its number, and keeps the weights of the step before", async () => {
  const three = await on(fit({ ...options, config: { ...options.config, steps: 3 } }))
  const {
    result: error,
    events,
    kept,
  } = await on(Effect.flip(fit({ ...options, batch: (step) => Effect.succeed(step === 3 ? bad : good) })))
  expect(error).toBeInstanceOf(NotFinite)
  expect(error).toMatchObject({
    where: "stage > line > step 4",
    received: expect.stringContaining("loss NaN"),
    fix: expect.stringContaining("artifacts/stage/last-good/model.safetensors"),
  })
  expect(events).toHaveLength(3)
  const { tensors } = await Effect.runPromise(decodeSafetensors(kept["last-good"]!["model.safetensors"]!, "last-good"))
  expect(tensors).toEqual({ slope: three.result.slope })
})

test("a trainer refuses a bad step and goes on from the weights before it", async () => {
  const slopes = (batches: ReadonlyArray<HostTensors>) =>
    on(
      Effect.gen(function* () {
        const trainer = yield* makeTrainer(options)
        const outcomes: Array<string> = []
        for (const batch of batches) {
          outcomes.push(
            yield* Effect.match(trainer.step(batch), { onFailure: ({ _tag }) => _tag, onSuccess: () => "done" }),
          )
        }
        const slope = (yield* trainer.params.read()).slope!.data[0]
        return { outcomes, slope }
      }),
    )
  const { result: mended } = await slopes([good, bad, good])
  const { result: clean } = await slopes([good, good])
  expect(mended).toEqual({ outcomes: ["done", "NotFinite", "done"], slope: clean.slope })
})

test("a batch of another shape is ShapeMismatch that names the input, and changes no weight", async () => {
  const { result } = await on(
    Effect.gen(function* () {
      const trainer = yield* makeTrainer(options)
      const error = yield* Effect.flip(trainer.step({ ...good, x: float32([2], [1, 2]) }))
      return { error, params: yield* trainer.params.read() }
    }),
  )
  expect(result.error).toMatchObject({ _tag: "ShapeMismatch", expected: expect.stringContaining("x float32[4]") })
  expect([...result.params.slope!.data]).toEqual([0])
})
