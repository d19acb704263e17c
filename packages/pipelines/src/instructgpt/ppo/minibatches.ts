/** The experience of a rollout, cut into shuffled minibatches, each with windows of pretraining text. */
import { float32, type HostTensors, int32, type Key, random, split } from "@millrace/core"
import { windowBatch } from "../windows.js"
import type { PpoConfig } from "./config.js"
import type { Experience } from "./learner.js"

/** The given rows of a row-major array. */
const rows = <A extends Float32Array | Int32Array>(from: A, chosen: Int32Array, width: number, to: A): A => {
  chosen.forEach((row, i) => {
    to.set(from.subarray(row * width, (row + 1) * width), i * width)
  })
  return to
}

/** Inputs of every update of an iteration, made when they are asked for. */
export function* minibatches(
  experience: Experience,
  config: PpoConfig,
  stream: Int32Array,
  context: number,
  key: Key,
): Generator<HostTensors> {
  const { episodes, minibatch: size, epochs, ptx } = config
  const { width } = experience
  const here = split(key, experience.iteration)
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = random.permutation(split(here, epoch), episodes)
    for (let from = 0; from + size <= episodes; from += size) {
      const chosen = order.subarray(from, from + size)
      const floats = (data: Float32Array) =>
        float32([size, width], rows(data, chosen, width, new Float32Array(size * width)))
      yield {
        tokens: int32([size, width], rows(experience.tokens, chosen, width, new Int32Array(size * width))),
        real: floats(experience.mask),
        mask: floats(experience.answerMask),
        oldLogProb: floats(experience.logProbs),
        advantages: floats(experience.advantages),
        returns: floats(experience.returns),
        oldValues: floats(experience.values),
        text: windowBatch(stream, ptx.windows, context, split(here, "text"), epoch * episodes + from).tokens!,
      }
    }
  }
}
