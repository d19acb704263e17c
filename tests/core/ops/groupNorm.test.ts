import { groupNorm, ShapeMismatch } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"

const ones = (size: number): tf.Tensor1D => tf.ones([size])

test("group norm refuses channels that are not those of gain and bias, and groups that do not divide them, and nothing else", () => {
  const size = fc.integer({ min: 1, max: 6 })
  fc.assert(
    fc.property(
      fc.record({ batch: size, pixels: size, channels: size, gain: size, bias: size, groups: size }),
      ({ batch, pixels, channels, gain, bias, groups }) => {
        const fits = channels === gain && channels === bias
        const apply = () =>
          tf.tidy(() => groupNorm(tf.ones([batch, pixels, channels]), ones(gain), ones(bias), groups).shape)
        if (!fits) expect(apply).toThrow(ShapeMismatch)
        else if (channels % groups !== 0) expect(apply).toThrow(/do not divide/)
        else expect(apply()).toEqual([batch, pixels, channels])
      },
    ),
  )
})
