import {
  BadConfig,
  BadData,
  encodeSafetensors,
  type Files,
  flatten,
  float32,
  type HostTensors,
  int32,
  isParamSpec,
  mapTree,
  type ParamSpec,
} from "@millrace/core"
import {
  type ClipConfig,
  type ClipParams,
  clipImageFeatures,
  clipParams,
  clipTextFeatures,
  clipTokenizer,
  cosines,
  huggingFaceClip,
  loadClip,
  preprocess,
  saveClip,
  toCheckpoint,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { tokenizerFixtures } from "../fixtures/clipTokenizer.js"
import { checkpoint, digestsOf, expectedOf, keep, recorded } from "../parity/checkpoints.js"
import { testParams } from "./reference/params.js"

await tf.setBackend("cpu")

const forward = (config: ClipConfig, values: HostTensors, { image, tokens }: HostTensors): HostTensors => {
  const found = tf.tidy(() => {
    const p = mapTree(clipParams(config), isParamSpec, (name) =>
      tf.tensor(values[name]!.data, [...values[name]!.shape], "float32"),
    ) as ClipParams
    const images = clipImageFeatures(config, p.image, tf.tensor(image!.data, [...image!.shape], "float32"))
    const texts = clipTextFeatures(config, p.text, tf.tensor(tokens!.data, [...tokens!.shape], "int32"))
    return { images, texts, logits: tf.mul(cosines(images, texts), tf.exp(p.logScale)) }
  })
  return Object.fromEntries(
    Object.entries(found).map(([name, x]) => [name, float32(x.shape, x.dataSync() as Float32Array)]),
  )
}

const expectClose = (found: HostTensors, wanted: HostTensors): void => {
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort())
  for (const [name, { shape, data }] of Object.entries(wanted)) {
    expect(found[name]!.shape, name).toEqual(shape)
    const largest = Math.max(...Array.from(data, Math.abs))
    const farthest = Math.max(...Array.from(data, (x, i) => Math.abs(x - found[name]!.data[i]!)))
    expect(farthest / largest, name).toBeLessThan(1e-5)
  }
}

const load = (files: Files) => Effect.runPromise(loadClip(files, "folder"))
const refusal = async (files: Files): Promise<BadData> => {
  const error = await Effect.runPromise(Effect.flip(loadClip(files, "folder")))
  expect(error).toBeInstanceOf(BadData)
  return error
}
const valuesOf = (config: ClipConfig): HostTensors => {
  const drawn = testParams(clipParams(config))
  return Object.fromEntries(
    Object.entries(flatten<ParamSpec>(clipParams(config), isParamSpec)).map(([name, { shape }]) => [
      name,
      float32(shape, Float32Array.from(drawn[name]!)),
    ]),
  )
}

const [{ file }] = tokenizerFixtures as readonly [(typeof tokenizerFixtures)[number]]
const tokenizer = clipTokenizer(file)
const texts = [
  "hello world!",
  "A Photo of the CAT",
  "naïve  résumé,\n12 + 34's it's",
  "日本 🎉 ½ Ⅷ \u{10330}",
  "cafe\u0301 'quoted' snake_case http://example.org/?q=1#top",
  "</s> a<b",
  "",
]
const config: ClipConfig = {
  joint: 6,
  image: { kind: "vit", size: 8, patch: 4, width: 12, layers: 1, heads: 3, activation: "gelu" },
  text: { vocab: tokenizer.size, context: 9, width: 8, layers: 2, heads: 2 },
}
const values = valuesOf(config)

test.each(["transformers-clip", "transformers-clip-gelu"])(
  "a folder that transformers saved gives transformers' features and logits: %s",
  async (name) => {
    const files = checkpoint(name)
    const { config, values } = await load(files)
    const { inputs, outputs } = expectedOf(files)
    expectClose(forward(config, values, inputs), outputs)
  },
)

test("an exported folder is the one that transformers was seen to load, with the same features, pixels and tokens", () => {
  const files = saveClip(config, values, tokenizer)
  const pixels = int32(
    [2, 8, 8, 3],
    Int32Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => (i * i * 7 + i * 31) % 256),
  )
  const image = float32(
    pixels.shape,
    tf.tidy(() =>
      preprocess(tf.div(tf.tensor(pixels.data, [...pixels.shape], "float32"), 255)).dataSync(),
    ) as Float32Array,
  )
  // The last row never ends: both read it at its largest token.
  const rows = tokenizer.rows(["hello world!", "a cat on the photo, the cat", "the"], 9)
  const tokens = int32(rows.shape, Int32Array.from(rows.data).fill(0, 20, 22))
  const outputs = Object.entries(forward(config, values, { image, tokens }))
  const utf8 = new TextEncoder()
  keep("millrace-clip", {
    ...files,
    "expected.safetensors": encodeSafetensors({
      "in/tokens": tokens,
      "in/image": image,
      "in/pixels": pixels,
      ...Object.fromEntries(outputs.map(([name, value]) => [`out/${name}`, value])),
    }),
    "texts.json": utf8.encode(
      JSON.stringify(
        texts.map((text) => {
          const ids = tokenizer.encode(text)
          return [text, [...ids], tokenizer.decode(ids)]
        }),
      ),
    ),
  })
  const { oracle, digests } = recorded("clip")
  expect(oracle).toContain("CLIPModel")
  expect(digestsOf(files)).toEqual(digests)
})

test("what is exported loads as it was", async () => {
  const odd: ClipConfig = {
    joint: 3,
    image: { kind: "vit", size: 6, patch: 2, width: 5, layers: 3, heads: 1 },
    text: { vocab: 9, context: 4, width: 6, layers: 1, heads: 1, activation: "gelu" },
  }
  // The last has no other end of text than the number 2.
  for (const config of [odd, { ...odd, text: { ...odd.text, vocab: 3 } }]) {
    const values = valuesOf(config)
    const back = await load(saveClip(config, values))
    expect(back.config).toEqual(config)
    expect(back.values).toEqual(values)
  }
})

test("a modified ResNet is not exported, and the error says what reads its weights", () => {
  const resNet = { ...config, image: { kind: "resnet", size: 32, width: 2, stages: [1, 1, 1, 1] } } as const
  expect(() => saveClip(resNet, {})).toThrow(BadConfig)
  expect(() => saveClip(resNet, {})).toThrow(/openAiClip/)
})

test("a tokenizer of another size than the text tower's vocabulary is not exported", () => {
  expect(() => saveClip({ ...config, text: { ...config.text, vocab: 540 } }, values, tokenizer)).toThrow(BadConfig)
})

describe("a config is read as transformers reads it:", () => {
  const files = saveClip(config, values)
  const json = JSON.parse(new TextDecoder().decode(files["config.json"]))
  const withConfig = (change: object): Files => ({
    ...files,
    "config.json": new TextEncoder().encode(JSON.stringify({ ...json, ...change })),
  })

  test("sizes that it leaves out are those of ViT-B/32", async () => {
    const { received } = await refusal({
      ...files,
      "config.json": new TextEncoder().encode(JSON.stringify({ model_type: "clip" })),
      "model.safetensors": encodeSafetensors({ logit_scale: float32([], [1]) }),
    })
    expect(received.split("\n").filter((line) => /layers\.11\.mlp\.fc2\.weight/.test(line))).toHaveLength(2)
    expect(received).not.toContain("layers.12")
  })

  test("an older text_config_dict, with its defaults, goes before text_config", async () => {
    const dict = { ...json.text_config, eos_token_id: undefined }
    expect((await refusal(withConfig({ text_config_dict: dict }))).received).toBe("text_config.eos_token_id: 49407")
    const { config: back } = await load(withConfig({ text_config: {}, text_config_dict: json.text_config }))
    expect(back).toEqual(config)
  })

  test("an end of text that is the last of the vocabulary is read there, any other is refused", async () => {
    const ending = (eos_token_id: number) => withConfig({ text_config: { ...json.text_config, eos_token_id } })
    expect((await load(ending(config.text.vocab - 1))).config).toEqual(config)
    expect((await refusal(ending(7))).expected).toBe("text_config.eos_token_id: 2")
  })

  test("every number that ours does not compute is named at once", async () => {
    const { expected, received } = await refusal(
      withConfig({
        model_type: "siglip",
        text_config: { ...json.text_config, hidden_act: "relu", layer_norm_eps: 1e-6, intermediate_size: 33 },
        vision_config: { ...json.vision_config, num_channels: 1 },
      }),
    )
    expect(expected.split("\n").sort()).toEqual([
      'model_type: "clip"',
      'text_config.hidden_act: "quick_gelu"',
      "text_config.intermediate_size: 32",
      "text_config.layer_norm_eps: 0.00001",
      "vision_config.num_channels: 3",
    ])
    expect(received).toContain('text_config.hidden_act: "relu"')
  })

  test("sizes that are none, and a patch that does not divide the image, are refused", async () => {
    expect((await refusal(withConfig({ projection_dim: "wide" }))).where).toBe("folder/config.json")
    const vision_config = { ...json.vision_config, patch_size: 3 }
    expect((await refusal(withConfig({ vision_config }))).received).toContain("multiple of patch 3")
  })
})

describe("a folder that does not fit is refused, and everything wrong with it is named:", () => {
  const files = saveClip(config, values)

  test("a file that is missing", async () => {
    expect((await refusal({ "pytorch_model.bin": new Uint8Array() })).expected).toBe("a file config.json")
    expect((await refusal({ "config.json": files["config.json"]! })).expected).toBe("a file model.safetensors")
  })

  test("pixels with another mean", async () => {
    const name = "preprocessor_config.json"
    const json = JSON.parse(new TextDecoder().decode(files[name]))
    const changed = new TextEncoder().encode(JSON.stringify({ ...json, image_mean: [0.5, 0.5, 0.5] }))
    const { where, received } = await refusal({ ...files, [name]: changed })
    expect([where, received]).toEqual([`folder/${name}`, "image_mean: [0.5,0.5,0.5]"])
  })

  test("tensors that are missing, left over, misshapen and of another dtype, in one error", async () => {
    const { "vision_model.post_layernorm.bias": _, ...rest } = toCheckpoint(huggingFaceClip, values)
    const tensors: HostTensors = {
      ...rest,
      stray: float32([1], [0]),
      "text_model.encoder.layers.1.self_attn.k_proj.weight": float32([3, 8], new Float32Array(24)),
      "vision_model.embeddings.patch_embedding.weight": float32([12, 3, 16], new Float32Array(12 * 3 * 16)),
      logit_scale: int32([], [1]),
    }
    const { expected, received } = await refusal({ ...files, "model.safetensors": encodeSafetensors(tensors) })
    expect(received.split("\n")).toHaveLength(5)
    expect(expected).toContain("text.blocks.1.attention.qkv.weight")
    for (const part of ["post_layernorm.bias: missing", "stray: float32 [1]", "logit_scale: int32 []", "[12, 3, 16]"]) {
      expect(received).toContain(part)
    }
  })
})
