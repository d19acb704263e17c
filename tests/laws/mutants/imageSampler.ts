import type { TensorFunction } from "@millrace/core"
import { type ImageSamplerFunctions, imageSamplerFunctions } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type ImageSampling, imageSamplerLaws } from "../imageSamplerLaws.js"
import { mutantSet } from "./mutantSet.js"

type Body = TensorFunction["body"]

const changed =
  (which: keyof Pick<ImageSamplerFunctions, "prefill" | "step">, change: (body: Body) => Body): ImageSampling =>
  (config, sampler) => {
    const functions = imageSamplerFunctions(config, sampler)
    return { ...functions, [which]: { ...functions[which], body: change(functions[which].body) } }
  }

export const imageSamplerMutants = mutantSet<ImageSampling>({
  subject: "sampler of images",
  laws: imageSamplerLaws,
  real: imageSamplerFunctions,
  runs: 3,
  mutants: {
    "whose kernel is another": (config, sampler) => imageSamplerFunctions({ ...config, kernel: 1 }, sampler),
    "that writes no keys": changed("step", (body) => (state, inputs) => ({ ...body(state, inputs), state: {} })),
    "that is a place ahead": changed(
      "step",
      (body) => (state, inputs) => body(state, { ...inputs, place: tf.minimum(tf.add(inputs.place!, 1), 4) }),
    ),
    "that draws with the numbers turned round": (config, sampler) => {
      const turned =
        (body: Body): Body =>
        (state, inputs) =>
          body(state, { ...inputs, uniform: tf.sub(1 - 2 ** -10, inputs.uniform!) })
      const { prefill, step, uncached } = imageSamplerFunctions(config, sampler)
      return {
        prefill: { ...prefill, body: turned(prefill.body) },
        step: { ...step, body: turned(step.body) },
        uncached,
      }
    },
    "that is never quite cold": (config, sampler) =>
      imageSamplerFunctions(config, { ...sampler, temperature: Math.max(0.5, sampler.temperature ?? 1) }),
    "that tells of the distribution before it was filtered": (config, sampler) => {
      const { topK, topP, ...rest } = sampler
      const filtered = imageSamplerFunctions(config, sampler)
      const flat = imageSamplerFunctions(config, { ...rest, temperature: 4 })
      const mixed = (name: "prefill" | "step"): TensorFunction => ({
        ...filtered[name],
        body: (state, inputs) => {
          const made = filtered[name].body(state, inputs)
          const { sampledLogProb } = flat[name].body(state, inputs).outputs
          return { ...made, outputs: { ...made.outputs, sampledLogProb: sampledLogProb! } }
        },
      })
      return { ...filtered, prefill: mixed("prefill"), step: mixed("step") }
    },
    "that looks up what stands at padding": changed(
      "prefill",
      (body) => (state, inputs) =>
        body(state, {
          ...inputs,
          tokens: tf.cast(tf.clipByValue(inputs.tokens!, 0, 3), "int32"),
          mask: tf.onesLike(inputs.mask!),
        }),
    ),
    "in which all images of a batch are drawn with one number": changed(
      "step",
      (body) => (state, inputs) =>
        body(state, { ...inputs, uniform: tf.fill(inputs.uniform!.shape, inputs.uniform!.dataSync()[0]!) }),
    ),
  },
})
