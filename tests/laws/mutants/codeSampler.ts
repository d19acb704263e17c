import type { TensorFunction } from "@millrace/core"
import { type AutoregressivePriorSamplerFunctions, autoregressivePriorSamplerFunctions } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type CodeSampling, codeSamplerLaws } from "../codeSamplerLaws.js"
import { mutantSet } from "./mutantSet.js"

type Body = TensorFunction["body"]
const changed =
  (names: ReadonlyArray<keyof AutoregressivePriorSamplerFunctions>, change: (body: Body) => Body): CodeSampling =>
  (config, sampler) => {
    const functions = autoregressivePriorSamplerFunctions(config, sampler)
    const twins = names.map((name) => [name, { ...functions[name], body: change(functions[name].body) }] as const)
    return { ...functions, ...Object.fromEntries(twins) }
  }
const given =
  (change: (inputs: Parameters<Body>[1]) => Readonly<Record<string, tf.Tensor>>) =>
  (body: Body): Body =>
  (state, inputs) =>
    body(state, { ...inputs, ...change(inputs) })

export const codeSamplerMutants = mutantSet<CodeSampling>({
  subject: "sampling an embedding's codes",
  laws: codeSamplerLaws,
  real: autoregressivePriorSamplerFunctions,
  mutants: {
    "that writes no keys": changed(["step"], (body) => (state, inputs) => ({ ...body(state, inputs), state: {} })),
    "that is a place ahead": changed(
      ["step"],
      given(({ place }) => ({ place: tf.cast(tf.minimum(tf.add(place!, 1), 1), "int32") })),
    ),
    "that sees all of the padding": changed(
      ["prefill"],
      given(({ mask, text }) => ({
        mask: tf.onesLike(mask!),
        text: tf.cast(tf.clipByValue(text!, 0, 5), "int32"),
      })),
    ),
    "that forgets the dot product": changed(
      ["prefill"],
      given(({ dot }) => ({ dot: tf.zerosLike(dot!) })),
    ),
    "that is never guided": (config, sampler) =>
      autoregressivePriorSamplerFunctions(config, { ...sampler, guidance: 1 }),
    "that is always guided": (config, { guidance = 1, ...sampler }) =>
      autoregressivePriorSamplerFunctions(config, { ...sampler, guidance: guidance + 1 }),
    "that draws with the numbers turned round": changed(
      ["prefill", "step"],
      given(({ uniform }) => ({ uniform: tf.sub(1 - 2 ** -10, uniform!) })),
    ),
    "that is never quite cold": (config, sampler) =>
      autoregressivePriorSamplerFunctions(config, { ...sampler, temperature: Math.max(0.5, sampler.temperature ?? 1) }),
    "that draws a batch with one number": changed(
      ["step"],
      given(({ uniform }) => ({ uniform: tf.fill(uniform!.shape, uniform!.dataSync()[0]!) })),
    ),
    "that decodes to the lower edges": changed(["decode"], (body) => (state, inputs) => {
      const { embeddings } = body(state, inputs).outputs
      return { outputs: { embeddings: tf.sub(embeddings!, 0.1) } }
    }),
    "that decodes the codes in reverse": changed(
      ["decode"],
      given(({ codes }) => ({ codes: tf.reverse(codes!, 1) })),
    ),
  },
})
