/** A fit that is stopped or killed at any step goes on with the bits of one that was not: weights, average, losses of every step. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  type Average,
  adamW,
  type Checkpoints,
  checkpointFolder,
  float32,
  type HostTensors,
  keyFromSeed,
  type Objective,
  type PartedObjective,
  random,
  spec,
  split,
  zeros,
} from "@millrace/core"
import { type FitOptions, fit } from "@millrace/pipelines"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Exit } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { stageRunner } from "./onStage.js"

const on = stageRunner("tfjs:cpu")
const steps = 6
/** Both at every step, or in turn. */
const thorough = process.env.MILLRACE_LONG !== undefined

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-resumed-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** Both layers learn, the offset does not; one parameter has a largest value. */
const objective: Objective = {
  name: "two-layers",
  paramSpecs: {
    "first.weight": { shape: [3, 4], init: zeros },
    "second.weight": { shape: [4, 1], init: zeros, max: 0.7 },
    offset: { shape: [1], init: zeros },
  },
  trainable: ["first.weight", "second.weight"],
  apply: (p, { x, y }) => {
    const hidden = tf.tanh(tf.matMul(x as tf.Tensor2D, p["first.weight"] as tf.Tensor2D))
    const miss = tf.sub(tf.add(tf.matMul(hidden as tf.Tensor2D, p["second.weight"] as tf.Tensor2D), p.offset!), y!)
    return { loss: tf.mean(tf.square(miss)) }
  },
}

/** The same pair of towers for whole and for parted steps: rows of a are to be near those of b. */
const parted: PartedObjective = {
  encode: {
    name: "rows",
    paramSpecs: { "first.weight": { shape: [3, 4], init: zeros } },
    trainable: ["first.weight"],
    apply: (p, { x }) => ({ features: tf.tanh(tf.matMul(x as tf.Tensor2D, p["first.weight"] as tf.Tensor2D)) }),
  },
  compare: {
    name: "spread",
    paramSpecs: { "second.weight": { shape: [4, 1], init: zeros } },
    trainable: ["second.weight"],
    apply: (p, { features }) => ({
      loss: tf.mean(tf.square(tf.sub(tf.matMul(features as tf.Tensor2D, p["second.weight"] as tf.Tensor2D), 1))),
    }),
  },
}

const drawn = (name: string, shape: ReadonlyArray<number>, seed: number) =>
  random.normal(split(split(keyFromSeed(3), name), seed), shape)

const initial: HostTensors = {
  "first.weight": drawn("first", [3, 4], 0),
  "second.weight": drawn("second", [4, 1], 0),
  offset: float32([1], [0.25]),
}

const config = {
  steps,
  schedule: { kind: "cosine" as const, peak: 0.05, warmup: 2, floor: 0.1 },
  optimizer: adamW,
  clip: 1,
}

const whole: FitOptions = {
  objective,
  inputs: { x: spec("float32", [4, 3]), y: spec("float32", [4, 1]) },
  initial,
  config,
  batch: (step) => Effect.sync(() => ({ x: drawn("x", [4, 3], step), y: drawn("y", [4, 1], step) })),
  amount: 4,
  unit: "rows",
}

const averages: Readonly<Record<string, Average>> = {
  zero: { decay: 0.9, start: "zero", every: 2 },
  weights: { decay: 0.5, start: "weights" },
}

const cases: Readonly<Record<string, FitOptions>> = {
  "of whole steps": whole,
  "with an average of every second step": { ...whole, config: { ...config, average: averages.zero! } },
  "with an average that began as the weights": { ...whole, config: { ...config, average: averages.weights! } },
  "in parts": {
    ...whole,
    objective: {
      name: "parted",
      paramSpecs: { ...parted.encode.paramSpecs, ...parted.compare.paramSpecs },
      trainable: ["first.weight", "second.weight"],
      apply: () => ({ loss: tf.scalar(0) }),
    },
    inputs: { x: spec("float32", [4, 3]) },
    config: { ...config, average: averages.zero! },
    batch: (step) => Effect.sync(() => ({ x: drawn("x", [4, 3], step) })),
    parts: { objective: parted, size: 2, features: { features: spec("float32", [4, 4]) } },
  },
}

const bits = (tensors: HostTensors) =>
  Object.entries(tensors)
    .map(([name, { data }]) => `${name} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`)
    .sort()

/** Saves after every step, into a real folder. */
const always = (name: string): Checkpoints => ({
  ...checkpointFolder(join(folder, name), "key", () => Effect.void),
  due: Effect.succeed(true),
})

describe.each(Object.entries(cases))("a fit %s", (name, options) => {
  test("that is stopped after any step, or killed in the next, ends with the same bits and the same losses", async () => {
    const stepsOf = (events: ReadonlyArray<{ readonly type: string }>) =>
      events.filter(({ type }) => type === "stage.step")
    const watching = (seen: Array<number>): NonNullable<FitOptions["watch"]> => ({
      every: 2,
      look: (step) => Effect.sync(() => void seen.push(step)),
      gathered: {
        read: () => [...seen],
        write: (before) => void seen.splice(0, seen.length, ...((before ?? []) as Array<number>)),
      },
    })
    const looks: Array<number> = []
    const undisturbed = await on(fit({ ...options, watch: watching(looks) }))
    expect(looks).toEqual([0, 2, 4, 6])
    for (let at = 1; at <= steps; at++) {
      for (const how of ["stopped", "killed"] as const) {
        if (how === "killed" && at === steps) continue
        if (!thorough && (how === "killed") === (at % 2 === 0)) continue
        const place = `${name} ${how} ${at}`
        let done = 0
        const { save, ...others } = always(place)
        const counting: Checkpoints = {
          ...others,
          save: (one) =>
            Effect.tap(save(one), () =>
              Effect.sync(() => {
                done = one.step
              }),
            ),
        }
        const first = await on(
          Effect.exit(
            fit({
              ...options,
              batch: (step) => (how === "killed" && step === at ? Effect.die("killed") : options.batch(step)),
              watch: watching([]),
            }),
          ),
          1,
          { checkpoints: counting, stopping: () => how === "stopped" && done === at },
        )
        expect(Exit.isFailure(first.result) || how === "stopped", place).toBe(true)
        const seen: Array<number> = []
        const last = await on(fit({ ...options, watch: watching(seen) }), 1, { checkpoints: always(place) })
        expect(bits(last.result), place).toEqual(bits(undisturbed.result))
        const told = [...stepsOf(first.events), ...stepsOf(last.events)]
        expect(told, place).toEqual(stepsOf(undisturbed.events))
        expect(seen, place).toEqual(looks)
      }
    }
  })
})

test("a checkpoint of a model that was changed since is told of and not used", async () => {
  await on(Effect.exit(fit(whole)), 1, { checkpoints: always("changed"), stopping: () => true })
  const wider: Objective = { ...objective, trainable: [...objective.trainable, "offset"] }
  const { result, events } = await on(fit({ ...whole, objective: wider }), 1, { checkpoints: always("changed") })
  const { result: expected } = await on(fit({ ...whole, objective: wider }))
  expect(bits(result)).toEqual(bits(expected))
  expect(events).toContainEqual({
    type: "stage.note",
    text: "the checkpoint after step 1 is of another model: the stage starts over",
  })
})

test("a step that is not finite ends the fit, and the checkpoints before it are whole", async () => {
  const bad = { x: float32([4, 3], new Float32Array(12).fill(Number.NaN)), y: float32([4, 1], new Float32Array(4)) }
  const broken = { ...whole, batch: (step: number) => (step === 3 ? Effect.succeed(bad) : whole.batch(step)) }
  const { result } = await on(Effect.flip(fit(broken)), 1, { checkpoints: always("not finite") })
  expect(result).toMatchObject({ _tag: "NotFinite" })
  expect((await Effect.runPromise(always("not finite").restore))?.step).toBe(3)
  const { result: mended } = await on(fit(whole), 1, { checkpoints: always("not finite") })
  const { result: expected } = await on(fit(whole))
  expect(bits(mended)).toEqual(bits(expected))
})
