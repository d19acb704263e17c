/** Published counts of parameters: sums over specs, with nothing allocated. */
import { flatten, isParamSpec, type ParamSpec, sizeOf, type Tree } from "@millrace/core"
import {
  decoder,
  decoderParams,
  decoderPresets,
  textEncoderParams,
  unetParams,
  upsampler,
  upsamplerCorruptions,
  upsamplerParams,
  upsamplerPresets,
} from "@millrace/models"
import { expect, test } from "vitest"

const count = (specs: Tree<ParamSpec>): number =>
  Object.values(flatten<ParamSpec>(specs, isParamSpec)).reduce((sum, { shape }) => sum + sizeOf(shape), 0)

const millions = (n: number): string => (n / 1e6).toFixed(1)
const billions = (n: number): string => (n / 1e9).toFixed(3)

test("the filtered GLIDE has 308.3 million parameters in its U-Net and 76.3 million in its text encoder", () => {
  const { unet, text } = decoderPresets["glide-filtered"]
  expect(millions(count(unetParams(unet)))).toBe("308.3")
  expect(millions(count(textEncoderParams(text.encoder)))).toBe("76.3")
})

test("unCLIP's decoder has 2.238 billion parameters in its U-Net and 3.55 billion with a text encoder of 128 tokens", () => {
  const { unet, text } = decoderPresets.unclip
  const [image, words] = [count(unetParams(unet)), count(textEncoderParams({ ...text.encoder, context: 128 }))]
  expect(billions(image)).toBe("2.238")
  expect(billions(words)).toBe("1.312")
  expect(billions(image + words)).toBe("3.550")
})

test("a context of 256 tokens, as in the paper's table, adds half a million to it", () => {
  const { encoder } = decoderPresets.unclip.text
  expect(count(textEncoderParams(encoder)) - count(textEncoderParams({ ...encoder, context: 128 }))).toBe(
    2 * 128 * 2048,
  )
})

test("the image embedding's projections add 10.5 million, and the caption's 4.2 million", () => {
  const whole = decoderParams(decoderPresets.unclip)
  expect(count(whole.image!)).toBe(1024 * 2048 + 2048 + (1024 * 4 * 2048 + 4 * 2048) + 1024)
  expect(count(whole.text.time)).toBe(2048 * 2048 + 2048)
})

test("GLIDE has 3.5 billion parameters, 1.2 billion of them in the blocks of its text encoder", () => {
  const { unet, text } = decoderPresets["glide-3.5b"]
  const words = textEncoderParams(text.encoder)
  expect(billions(count(unetParams(unet)) + count(words))).toBe("3.550")
  expect(billions(count(words.blocks))).toBe("1.209")
})

test("Karlo's decoder has 893.3 million parameters", () => {
  expect(millions(count(decoderParams(decoderPresets.karlo)))).toBe("893.3")
})

test("the upsamplers have 729.7 and 282.1 million parameters, and no attention", () => {
  expect(millions(count(upsamplerParams(upsamplerPresets["unclip-256"])))).toBe("729.7")
  expect(millions(count(upsamplerParams(upsamplerPresets["unclip-1024"])))).toBe("282.1")
  for (const preset of Object.values(upsamplerPresets)) {
    const names = Object.keys(flatten<ParamSpec>(upsamplerParams(preset), isParamSpec))
    expect(names.filter((name) => name.includes("attention"))).toEqual([])
  }
})

test("every preset makes its node, which knows the sizes of its axes", () => {
  expect(decoder.predict(decoderPresets.unclip).sizes).toEqual({ c: 3, d: 1024, t: 256 })
  expect(decoder.predictFromText(decoderPresets["glide-3.5b"]).sizes).toEqual({ c: 3, t: 128 })
  expect(decoder.predictFromText(decoderPresets["glide-filtered"]).sizes).toEqual({ c: 3, t: 128 })
  expect(decoder.predictFromClip(decoderPresets.karlo).sizes).toEqual({ c: 3, d: 768 })
  for (const preset of Object.values(upsamplerPresets)) expect(upsampler.predict(preset).sizes).toEqual({ c: 3 })
})

test("each upsampler has a corruption of its own", () => {
  expect(Object.keys(upsamplerCorruptions)).toEqual(Object.keys(upsamplerPresets))
})
