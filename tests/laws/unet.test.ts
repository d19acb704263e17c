import { ShapeMismatch } from "@millrace/core"
import { unet, unetParams, unetPredict } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { broken, verify } from "./law.js"
import { type UnetUnit, unetLaws } from "./unetLaws.js"

const real: UnetUnit = { params: unetParams, predict: unetPredict }

verify("unet", unetLaws(real))

// A set of laws is worth what it refuses.
const mutants: ReadonlyArray<[string, UnetUnit, string]> = [
  [
    "whose last convolution begins as noise",
    {
      ...real,
      params: (config) => {
        const specs = unetParams(config)
        return {
          ...specs,
          output: { ...specs.output, weight: { ...specs.output.weight, init: specs.input.weight.init } },
        }
      },
    },
    "before training it predicts 0",
  ],
  [
    "that forgets one block on the way down",
    {
      ...real,
      params: (config) => {
        const specs = unetParams(config)
        return { ...specs, down: specs.down.slice(1) }
      },
    },
    "its channels close at any levels and blocks, and sides stay those of the image",
  ],
  [
    "that looks at all images at once",
    {
      ...real,
      predict: (config, p, image, ...rest) =>
        unetPredict(config, p, tf.add(image, tf.mul(0.1, tf.mean(image, 0, true))), ...rest),
    },
    "the prediction for an image depends on no other image, time or context",
  ],
  [
    "that leaves its time out",
    { ...real, predict: (config, p, image, time, told) => unetPredict(config, p, image, tf.zerosLike(time), told) },
    "another time gives another prediction",
  ],
  [
    "that leaves its way down out",
    {
      ...real,
      predict: (config, p, image, time, told) =>
        tf.add(
          tf.mul(0, unetPredict(config, p, image, time, told)),
          tf.mul(
            tf.sum(p.output.weight),
            tf.add(tf.cast(tf.reshape(time, [-1, 1, 1, 1]), "float32"), tf.sum(p.time2.bias)),
          ),
        ),
    },
    "every weight of it is used",
  ],
  [
    "that numbers the tokens of its context",
    {
      ...real,
      predict: (config, p, image, time, told) =>
        unetPredict(config, p, image, time, {
          ...told,
          ...(told?.context === undefined
            ? {}
            : {
                context: {
                  ...told.context,
                  tokens: tf.add(
                    told.context.tokens,
                    tf.reshape(tf.range(0, told.context.tokens.shape[1] ?? 0), [1, -1, 1]),
                  ),
                },
              }),
        }),
    },
    "the order of the context's tokens changes nothing",
  ],
  [
    "that sees all tokens",
    {
      ...real,
      predict: (config, p, image, time, told) =>
        unetPredict(config, p, image, time, {
          ...told,
          ...(told?.context === undefined ? {} : { context: { tokens: told.context.tokens } }),
        }),
    },
    "a token that is not seen changes nothing",
  ],
  [
    "that is told nothing but its time",
    {
      ...real,
      predict: (config, p, image, time, told) =>
        unetPredict(config, p, image, time, told?.context === undefined ? {} : { context: told.context }),
    },
    "what is added to the embedding of time acts on the prediction",
  ],
]

test.each(mutants)("a U-Net %s breaks a law", (_, unit, name) => {
  expect(broken(unetLaws(unit).filter((each) => each.name === name))).toEqual([name])
})

test("every law refuses one of them", () => {
  const named = new Set(mutants.map(([, , name]) => name))
  expect(
    unetLaws(real)
      .map(({ name }) => name)
      .filter((name) => !named.has(name)),
  ).toEqual([])
})

const config = { size: 8, width: 4, multipliers: [1, 2], blocks: 1, attention: [4], headWidth: 2, groups: 2 }

test("an image that the levels cannot halve is refused, and the error says by how much they do", () => {
  const specs = unetParams(config)
  const odd = tf.zeros([1, 5, 8, 3])
  const p = tensorsOf(specs, testParams(specs)) as Parameters<typeof unetPredict>[1]
  expect(() => unetPredict(config, p, odd, tf.tensor1d([1], "int32"))).toThrow(ShapeMismatch)
  expect(() => unetPredict(config, p, odd, tf.tensor1d([1], "int32"))).toThrow("multiples of 2")
})

test.each([
  ["channels that its groups do not divide", { groups: 3 }, /4 channels of level 0 must be a multiple of groups 3/],
  ["heads wider than the channels", { headWidth: 3 }, /8 channels of level 1 must be a multiple of headWidth 3/],
  ["attention at a side of no level", { attention: [3] }, /attention at 3: no level has that side/],
  ["other channels out than in", { output: 6 }, /output 6 must be input/],
])("a node of %s is refused", (_, wrong, message) => {
  expect(() => unet.noise({ ...config, ...wrong })).toThrow(message)
})
