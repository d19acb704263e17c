import {
  expectClose,
  expectThat,
  finiteDifference,
  float,
  gradient,
  ids,
  type Law,
  law,
  rows,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Diffusion } from "../diffusion/diffusion.js"
import type { DiffusionBatch, DiffusionLoss, DiffusionLossConfig } from "../diffusion/loss.js"
import type { Parametrisation } from "../diffusion/parametrisation.js"
import { type NoisyExample, noisyExamples, rowsOf, timesOf, velocityOf } from "./diffusionExamples.js"
import { lossReference } from "./reference/diffusion.js"

/** A loss of what a network gave for noised data, and its parts. */
export type DiffusionLossOf = (
  diffusion: Diffusion,
  batch: DiffusionBatch,
  output: tf.Tensor,
  config: DiffusionLossConfig,
) => DiffusionLoss

const names = fc.constantFrom<Parametrisation>("noise", "start", "velocity")
const kinds = fc.constantFrom<DiffusionLossConfig["kind"]>("simple", "bound", "hybrid")
const any = noisyExamples([0.02, 1])
const later = noisyExamples([0.02, 0.98]).filter((e) => e.time.every((t) => t > 0))
const loose = { relative: 1e-3, absolute: 1e-4 }

/** b d prediction and variance channels as one output. */
const joined = (e: NoisyExample, prediction: ReadonlyArray<number>, v: ReadonlyArray<number>): tf.Tensor =>
  tf.concat([rowsOf(e, prediction), rowsOf(e, v)], 1)

/** What a loss of diffusion obeys. */
export const diffusionLossLaws = (loss: DiffusionLossOf): ReadonlyArray<Law> => {
  const learned = (e: NoisyExample, parametrisation: Parametrisation): Diffusion => ({
    schedule: e.schedule,
    parametrisation,
    variance: "learned-range",
  })
  const batchOf = (e: NoisyExample): DiffusionBatch => ({
    data: rowsOf(e, e.start),
    noise: rowsOf(e, e.noise),
    time: timesOf(e),
  })
  const truth = (e: NoisyExample, name: Parametrisation): ReadonlyArray<number> =>
    name === "noise" ? e.noise : name === "start" ? e.start : velocityOf(e)
  return [
    law("the true prediction has a simple loss of 0", fc.tuple(any, names), ([e, name]) => {
      expectClose(loss(learned(e, name), batchOf(e), joined(e, truth(e, name), e.other), { kind: "simple" }).simple, 0)
    }),
    law("with β̃ for its variance its bound is 0 after the first step", later, (e) => {
      const small = e.start.map(() => -1)
      expectClose(loss(learned(e, "start"), batchOf(e), joined(e, e.start, small), { kind: "bound" }).loss, 0)
    }),
    law("the bound is never negative", fc.tuple(any, names), ([e, name]) => {
      const { bound } = loss(learned(e, name), batchOf(e), joined(e, e.other, e.noise), { kind: "bound" })
      expectThat(values(bound)[0]! >= -1e-5, () => `${values(bound)[0]}`)
    }),
    law(
      "of the hybrid loss the prediction learns the simple one alone, and the variance the bound",
      fc.tuple(later, names),
      ([e, name]) => {
        const slopes = (kind: DiffusionLossConfig["kind"]) =>
          values(
            gradient(
              (output) => loss(learned(e, name), batchOf(e), output!, { kind, weight: 0.01 }).loss,
              [joined(e, e.other, e.noise)],
            )[0]!,
          )
        const [hybrid, simple, bound] = [slopes("hybrid"), slopes("simple"), slopes("bound")]
        const isPrediction = (i: number): boolean => i % (2 * e.d) < e.d
        expectClose(
          hybrid,
          simple.map((x, i) => (isPrediction(i) ? x : 0.01 * bound[i]!)),
          loose,
        )
        expectThat(
          simple.every((x, i) => isPrediction(i) || x === 0),
          () => "the simple loss teaches the variance",
        )
      },
    ),
    law("the order of the rows does not matter", fc.tuple(any, kinds), ([e, kind]) => {
      const turn = (flat: ReadonlyArray<number>) => rows(flat, e.d).toReversed().flat()
      const turned: NoisyExample = {
        ...e,
        time: e.time.toReversed(),
        start: turn(e.start),
        noise: turn(e.noise),
        other: turn(e.other),
      }
      const at = (x: NoisyExample) => loss(learned(x, "noise"), batchOf(x), joined(x, x.other, x.noise), { kind }).loss
      expectClose(at(turned), at(e))
    }),
    law("a batch's loss is the mean of its rows'", fc.tuple(any, kinds), ([e, kind]) => {
      const whole = loss(learned(e, "noise"), batchOf(e), joined(e, e.other, e.noise), { kind }).loss
      const one = (i: number): number => {
        const row = (flat: ReadonlyArray<number>) => float([1, e.d], rows(flat, e.d)[i]!)
        const batch = { data: row(e.start), noise: row(e.noise), time: ids([1], [e.time[i]!]) }
        return values(loss(learned(e, "noise"), batch, tf.concat([row(e.other), row(e.noise)], 1), { kind }).loss)[0]!
      }
      expectClose(
        whole,
        e.time.reduce((sum, _, i) => sum + one(i) / e.b, 0),
        loose,
      )
    }),
    law(
      "it has the value of the float64 reference, for every parametrisation, variance, kind and measured error",
      fc.tuple(
        any,
        names,
        fc.constantFrom("fixed-small" as const, "fixed-large" as const, "learned-range" as const),
        kinds,
        names,
      ),
      ([e, parametrisation, variance, kind, error]) => {
        const diffusion = { schedule: e.schedule, parametrisation, variance }
        const whole = variance === "learned-range"
        const output = whole ? joined(e, e.other, e.noise) : rowsOf(e, e.other)
        const got = loss(diffusion, batchOf(e), output, { kind, error })
        const wanted = lossReference(
          diffusion,
          e.time.map((time, i) => ({
            time,
            start: rows(e.start, e.d)[i]!.map(Math.fround),
            noise: rows(e.noise, e.d)[i]!,
            output: [...rows(e.other, e.d)[i]!, ...(whole ? rows(e.noise, e.d)[i]! : [])],
          })),
          { kind, error },
        )
        for (const part of ["simple", "bound", "loss"] as const) expectClose(got[part], wanted[part], loose)
      },
    ),
    law("it has the gradient of the reference's differences", fc.tuple(later, names, kinds), ([e, name, kind]) => {
      const diffusion = learned(e, name)
      const referenceAt = (flat: ReadonlyArray<number>): number =>
        lossReference(
          diffusion,
          e.time.map((time, i) => ({
            time,
            start: rows(e.start, e.d)[i]!,
            noise: rows(e.noise, e.d)[i]!,
            output: rows(flat, 2 * e.d)[i]!,
          })),
          { kind },
          kind === "hybrid" ? rows(e.other, e.d) : undefined,
        ).loss
      const output = joined(e, e.other, e.noise)
      const [wanted] = finiteDifference((flat) => referenceAt(flat!), [values(output)])
      const [found] = gradient((x) => loss(diffusion, batchOf(e), x!, { kind }).loss, [output])
      expectClose(found!, wanted!, loose)
    }),
  ]
}
