import { imageAttention, imageAttentionParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { type AttentionUnit, imageAttentionLaws } from "./imageAttentionLaws.js"
import { broken, verify } from "./law.js"

const real: AttentionUnit = { params: imageAttentionParams, apply: imageAttention }

verify("imageAttention", imageAttentionLaws(real))

// A set of laws is worth what it refuses.
const mutants: ReadonlyArray<[string, AttentionUnit, string]> = [
  [
    "whose projection begins as noise",
    {
      ...real,
      params: (channels, context) => {
        const specs = imageAttentionParams(channels, context)
        return { ...specs, out: { ...specs.out, weight: { ...specs.out.weight, init: { kind: "normal", std: 1 } } } }
      },
    },
    "before training it is the image itself",
  ],
  [
    "that counts its columns",
    {
      ...real,
      apply: (p, x, context, options) => {
        const columns = tf.reshape(tf.range(0, x.shape[2] ?? 1), [1, 1, -1, 1])
        return imageAttention(p, tf.add(x, columns), context, options)
      },
    },
    "the places of an image in another order are the same in that order",
  ],
  [
    "that sees what it must not",
    {
      ...real,
      apply: (p, x, context, options) =>
        imageAttention(p, x, context === null ? null : { tokens: context.tokens }, options),
    },
    "a context of which nothing is seen is none",
  ],
  [
    "that adds twice what it saw",
    {
      ...real,
      apply: (p, x, context, options) => tf.sub(tf.mul(2, imageAttention(p, x, context, options)), x),
    },
    "where all values are one, it adds that one: the shares of what is seen sum to 1",
  ],
  [
    "without a context",
    { ...real, apply: (p, x, _, options) => imageAttention(p, x, null, options) },
    "another context gives another image",
  ],
]

test.each(mutants)("attention over an image %s breaks a law", (_, unit, name) => {
  expect(broken(imageAttentionLaws(unit).filter((each) => each.name === name))).toEqual([name])
})

test("every law refuses one of them", () => {
  const named = new Set(mutants.map(([, , name]) => name))
  const idle = imageAttentionLaws(real).filter(({ name }) => !named.has(name))
  expect(idle.map(({ name }) => name)).toEqual([])
})
