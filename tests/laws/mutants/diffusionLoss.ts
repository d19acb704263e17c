import { diffusionLoss, discretisedNormal, type Normal, normalKl } from "@millrace/models"
import {
  type DiffusionLossOf,
  type DiscretisedOf,
  diffusionLossLaws,
  discretisedLaws,
  type NormalKlOf,
  normalKlLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { values } from "../close.js"
import { mutantSet } from "./mutantSet.js"

const shifted = (p: Normal, by: number): Normal => ({ ...p, mean: tf.add(p.mean, by) })

const logistic = (x: tf.Tensor): tf.Tensor =>
  tf.mul(0.5, tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.pow(x, 3)))))))

const density: DiscretisedOf = (x, p) =>
  tf.sub(
    tf.mul(-0.5, tf.add(p.logVariance, tf.div(tf.square(tf.sub(x, p.mean)), tf.exp(p.logVariance)))),
    0.5 * Math.log(2 * Math.PI) - Math.log(2 / 255),
  )

const withLoss =
  (change: (found: ReturnType<DiffusionLossOf>, ...given: Parameters<DiffusionLossOf>) => tf.Tensor): DiffusionLossOf =>
  (...given) => {
    const found = diffusionLoss(...given)
    return { ...found, loss: change(found, ...given) as tf.Scalar }
  }

const halves = (output: tf.Tensor) => tf.split(output, 2, -1) as [tf.Tensor, tf.Tensor]

export const normalKlMutants = mutantSet<NormalKlOf>({
  subject: "KL of normal distributions",
  laws: normalKlLaws,
  real: normalKl,
  mutants: {
    "the other way round": (p, q) => normalKl(q, p),
    "without its − 1": (p, q) => tf.add(normalKl(p, q), 0.5),
    "that measures the means' distance in p's units": (p, q) =>
      tf.add(normalKl({ ...p, mean: q.mean }, q), tf.mul(0.5, tf.square(tf.sub(p.mean, q.mean)))),
    "that takes ln σ for ln σ²": (p, q) => {
      const twice = (n: Normal): Normal => ({ mean: n.mean, logVariance: tf.mul(2, n.logVariance) })
      return normalKl(twice(p), twice(q))
    },
  },
})

export const discretisedMutants = mutantSet<DiscretisedOf>({
  subject: "discretised normal distribution",
  laws: discretisedLaws,
  real: discretisedNormal,
  mutants: {
    "that is a density": density,
    "half a value off": (x, p) => discretisedNormal(x, shifted(p, 1 / 255)),
    "with bins of half the width": (x, p) => {
      const [s, half] = [tf.exp(tf.mul(0.5, p.logVariance)), 0.5 / 255]
      const to = (by: number) => logistic(tf.div(tf.add(tf.sub(x, p.mean), by), s))
      return tf.log(tf.maximum(tf.sub(to(half), to(-half)), 1e-12))
    },
    "whose tails cancel": (x, p) => {
      const [s, half] = [tf.exp(tf.mul(0.5, p.logVariance)), 1 / 255]
      const to = (by: number) => logistic(tf.div(tf.add(tf.sub(x, p.mean), by), s))
      const between = tf.log(tf.maximum(tf.sub(to(half), to(-half)), 1e-12))
      return tf.where(tf.greater(tf.abs(x), 0.999), discretisedNormal(x, p), between)
    },
  },
})

export const diffusionLossMutants = mutantSet<DiffusionLossOf>({
  subject: "diffusion loss",
  laws: diffusionLossLaws,
  real: diffusionLoss,
  runs: 10,
  mutants: {
    "that compares with the start whatever is predicted": (d, batch, output, config) => {
      const found = diffusionLoss(d, batch, output, config)
      const prediction = d.variance === "learned-range" ? halves(output)[0] : output
      return { ...found, simple: tf.mean(tf.square(tf.sub(batch.data, prediction))) }
    },
    "whose bound takes β for β̃": (d, ...rest) =>
      diffusionLoss(
        { ...d, schedule: { ...d.schedule, posteriorLogVariance: d.schedule.beta.map((b) => Math.log(b) - 1) } },
        ...rest,
      ),
    "whose v is a share already": (d, batch, output, config) => {
      if (d.variance !== "learned-range") return diffusionLoss(d, batch, output, config)
      const [prediction, v] = halves(output)
      return diffusionLoss(d, batch, tf.concat([prediction, tf.sub(tf.mul(v, 2), 1)], -1), config)
    },
    "whose bound has the cross-entropy in place of the KL": (...given) => {
      const found = diffusionLoss(...given)
      return { ...found, bound: tf.sub(found.bound, 2) }
    },
    "whose bound teaches the prediction too": withLoss((found, d, batch, output, config) =>
      config.kind === "hybrid"
        ? tf.add(found.simple, tf.mul(config.weight ?? 1e-3, diffusionLoss(d, batch, output, { kind: "bound" }).loss))
        : found.loss,
    ),
    "that gives all rows the first one's time": (d, batch, output, config) =>
      diffusionLoss(d, { ...batch, time: tf.fill(batch.time.shape, values(batch.time)[0]!, "int32") }, output, config),
    "that sums over the rows": withLoss((found, _, batch) => tf.mul(found.loss, batch.data.shape[0]!)),
  },
})
