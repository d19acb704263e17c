/** A step of a diffusion U-Net: the mean squared error of the noise that it predicts. */
import { int32, type Key, random, split } from "@millrace/core"
import { addNoise, noiseSchedule, type UnetConfig, unetParams, unetPredict } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type Network, objectiveFrom, specsOfBatch } from "./network.js"

export type UnetStep = UnetConfig & {
  /** Steps of the noise schedule. */
  readonly steps: number
  readonly batch: number
}

export const unetNetwork = (config: UnetStep, key: Key): Network => {
  const { batch: b, size } = config
  const values = {
    image: random.normal(split(key, "image"), [b, size, size, 3]),
    noise: random.normal(split(key, "noise"), [b, size, size, 3]),
    time: int32([b], random.integers(split(key, "time"), [b], 0, config.steps).data),
  }
  const schedule = noiseSchedule({ kind: "cosine", steps: config.steps })
  const objective = objectiveFrom("unet", unetParams(config), (p, { image, noise, time }) => {
    const predicted = unetPredict(config, p, addNoise(schedule, image!, noise!, time!), time!)
    return tf.mean(tf.square(tf.sub(noise!, predicted)))
  })
  return { objective, inputs: specsOfBatch(values), batch: values }
}
