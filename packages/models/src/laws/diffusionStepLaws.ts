import { expectClose, expectSame, ids, type Law, law, size, values } from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Reverse } from "../diffusion/reverse.js"
import type { NoiseSchedule } from "../diffusion/schedule.js"
import { eachOf, type NoisyExample, noisyExamples, noisyOf, rowsOf, timesOf } from "./diffusionExamples.js"

/** What is known of the step before, noise b d and times b to the rows a step before. */
export type AncestralStepOf = (step: Reverse, noise: tf.Tensor, time: tf.Tensor) => tf.Tensor

const any = noisyExamples([0, 1])
const moderate = noisyExamples([0.02, 0.98])

/** What an ancestral step obeys. */
export const ddpmLaws = (step: AncestralStepOf): ReadonlyArray<Law> => {
  const at = (e: NoisyExample, noise: ReadonlyArray<number>, time = timesOf(e)) => {
    const start = rowsOf(e, e.start)
    return values(step({ start, mean: start, logVariance: rowsOf(e, e.other) }, rowsOf(e, noise), time))
  }
  return [
    law("without noise it is the mean", any, (e) => {
      expectSame(
        at(
          e,
          e.start.map(() => 0),
        ),
        e.start.map(Math.fround),
      )
    }),
    law("noise moves it by the deviation, up and down alike", any, (e) => {
      const [up, down] = [
        at(e, e.noise),
        at(
          e,
          e.noise.map((z) => -z),
        ),
      ]
      const deviation = e.other.map((log, i) => (e.time[Math.floor(i / e.d)] === 0 ? 0 : Math.exp(log / 2)))
      expectClose(
        up.map((x, i) => x - e.start[i]!),
        e.noise.map((z, i) => z * deviation[i]!),
      )
      expectClose(
        up.map((x, i) => (x + down[i]!) / 2),
        e.start,
      )
    }),
    law("the first step of the schedule draws nothing", any, (e) => {
      expectSame(at(e, e.noise, tf.zerosLike(timesOf(e))), e.start.map(Math.fround))
    }),
  ]
}

/** DDIM's step down and its inverse, a step up. */
export interface DdimSteps {
  readonly step: (
    schedule: NoiseSchedule,
    start: tf.Tensor,
    noisy: tf.Tensor,
    time: tf.Tensor,
    eta: number,
    noise: tf.Tensor | null,
  ) => tf.Tensor
  readonly inverse: (schedule: NoiseSchedule, start: tf.Tensor, noisy: tf.Tensor, time: tf.Tensor) => tf.Tensor
}

const eta = size(0, 64).map((n) => n / 64)

/** What steps of DDIM and their inverse obey. `posterior` is the mean of q(x_{t−1} | x_t, x₀). */
export const ddimLaws = ({ step, inverse }: DdimSteps, posterior: DdimSteps["inverse"]): ReadonlyArray<Law> => {
  const at = (
    e: NoisyExample,
    start: ReadonlyArray<number>,
    x: ReadonlyArray<number>,
    by: number,
    z: ReadonlyArray<number> | null,
  ) => values(step(e.schedule, rowsOf(e, start), rowsOf(e, x), timesOf(e), by, z === null ? null : rowsOf(e, z)))
  /** Walks down from `from` with a start that fits the example's noise at each step. */
  const walk = (
    e: NoisyExample,
    x: ReadonlyArray<number>,
    from: number,
    to: number,
    move: "down" | "up",
  ): ReadonlyArray<number> => {
    let now = x
    for (let t = from; move === "down" ? t >= to : t <= to; t += move === "down" ? -1 : 1) {
      const left = e.schedule.alphaBar[t]!
      const start = now.map((v, i) => (v - Math.sqrt(1 - left) * e.noise[i]!) / Math.sqrt(left))
      const [s, n, time] = [
        rowsOf(e, start),
        rowsOf(e, now),
        ids(
          [e.b],
          e.time.map(() => t),
        ),
      ]
      now = values(move === "down" ? step(e.schedule, s, n, time, 0, null) : inverse(e.schedule, s, n, time))
    }
    return now
  }
  const forward = (e: NoisyExample, t: number) => noisyOf({ ...e, time: e.time.map(() => t) })
  const loose = { relative: 1e-3, absolute: 1e-3 }
  return [
    law("η = 1 has the mean of q(x_{t−1} | x_t, x₀), and β̃ for its variance", moderate, (e) => {
      const [mean, moved] = [
        at(
          e,
          e.other,
          noisyOf(e),
          1,
          e.start.map(() => 0),
        ),
        at(
          e,
          e.other,
          noisyOf(e),
          1,
          e.start.map(() => 1),
        ),
      ]
      expectClose(mean, posterior(e.schedule, rowsOf(e, e.other), rowsOf(e, noisyOf(e)), timesOf(e)), {
        relative: 1e-4,
        absolute: 1e-4,
      })
      expectClose(
        moved.map((x, i) => x - mean[i]!),
        eachOf(e, e.schedule.posteriorVariance).map(Math.sqrt),
        { relative: 1e-4, absolute: 1e-5 },
      )
    }),
    law("the deviation is proportional to η", fc.tuple(moderate, eta), ([e, by]) => {
      const [still, moved] = [
        at(
          e,
          e.other,
          noisyOf(e),
          by,
          e.start.map(() => 0),
        ),
        at(
          e,
          e.other,
          noisyOf(e),
          by,
          e.start.map(() => 1),
        ),
      ]
      expectClose(
        moved.map((x, i) => x - still[i]!),
        eachOf(e, e.schedule.posteriorVariance).map((v) => by * Math.sqrt(v)),
        { relative: 1e-4, absolute: 1e-5 },
      )
    }),
    law(
      "for every η data that is noised is as if it had been noised a step less",
      fc.tuple(moderate, eta),
      ([e, by]) => {
        const zeros = e.start.map(() => 0)
        const [signal, spread] = [
          noisyOf({ ...e, noise: zeros }),
          noisyOf({ ...e, start: zeros, noise: e.start.map(() => 1) }),
        ]
        const before = eachOf(e, e.schedule.alphaBarBefore)
        expectClose(
          at(e, e.start, signal, by, zeros),
          e.start.map((x, i) => Math.sqrt(before[i]!) * x),
          { relative: 1e-4, absolute: 1e-4 },
        )
        const [ofNoise, drawn] = [
          at(e, zeros, spread, by, zeros),
          at(
            e,
            zeros,
            zeros,
            by,
            e.start.map(() => 1),
          ),
        ]
        expectClose(
          ofNoise.map((x, i) => x ** 2 + drawn[i]! ** 2),
          before.map((a) => 1 - a),
          { relative: 1e-4, absolute: 1e-4 },
        )
      },
    ),
    law("η = 0 draws nothing", moderate, (e) => {
      expectSame(at(e, e.other, noisyOf(e), 0, e.noise), at(e, e.other, noisyOf(e), 0, null))
    }),
    law("with one noise predicted all the way down, the start comes back", moderate, (e) => {
      const from = Math.max(...e.time)
      expectClose(walk(e, forward(e, from), from, 0, "down"), e.start, loose)
    }),
    law("with one noise predicted all the way up, the inverse steps are the forward process", moderate, (e) => {
      const to = Math.max(...e.time)
      expectClose(walk(e, forward(e, 0), 0, to - 1, "up"), forward(e, to), loose)
    }),
    law(
      "a step and an inverse step that predict one noise undo each other",
      moderate.filter((e) => e.time.every((t) => t > 0)),
      (e) => {
        const t = e.time[0]!
        const x = e.other.map((v) => v)
        expectClose(walk(e, walk(e, x, t, t, "down"), t - 1, t - 1, "up"), x, loose)
      },
    ),
    law("the last inverse step leaves the noise alone", moderate, (e) => {
      const last = e.schedule.steps - 1
      const at0 = { ...e, time: e.time.map(() => last) }
      const [x, time] = [noisyOf(at0), ids([e.b], at0.time)]
      const after = inverse(e.schedule, rowsOf(e, e.start), rowsOf(e, x), time)
      expectClose(after, e.noise, loose)
    }),
  ]
}
