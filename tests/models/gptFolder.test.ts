import {
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
  type GptConfig,
  type GptParams,
  gptLogits,
  gptParams,
  huggingFaceGpt2,
  loadGpt,
  saveGpt,
  toCheckpoint,
  trainBpe,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { checkpoint, digestsOf, expectedOf, keep, recorded } from "../parity/checkpoints.js"
import { testParams } from "./reference/params.js"

await tf.setBackend("cpu")

const logitsOf = (config: GptConfig, values: HostTensors, tokens: HostTensors[string]): Float32Array =>
  tf.tidy(() => {
    const p = mapTree(gptParams(config), isParamSpec, (name) =>
      tf.tensor(values[name]!.data, [...values[name]!.shape], "float32"),
    ) as GptParams
    return gptLogits(config, p, tf.tensor(tokens.data, [...tokens.shape], "int32")).dataSync() as Float32Array
  })

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)))

const load = (files: Files) => Effect.runPromise(loadGpt(files, "folder"))
const refusal = async (files: Files): Promise<BadData> => {
  const error = await Effect.runPromise(Effect.flip(loadGpt(files, "folder")))
  expect(error).toBeInstanceOf(BadData)
  return error
}

const texts = ["hello world", " the cat's naïve résumé, 12 + 34", "日本 🎉\n\n  end", ""]
const config: GptConfig = { vocab: 270, context: 8, width: 12, layers: 2, heads: 3, mlp: 20, tied: false }
const values: HostTensors = Object.fromEntries(
  Object.entries(flatten<ParamSpec>(gptParams(config), isParamSpec)).map(([name, { shape }]) => [
    name,
    float32(shape, Float32Array.from(testParams(gptParams(config))[name]!)),
  ]),
)

test("a folder that transformers saved gives transformers' logits", async () => {
  const files = checkpoint("transformers-gpt2")
  const { config, values } = await load(files)
  const { inputs, outputs } = expectedOf(files)
  expect(farthest(logitsOf(config, values, inputs.tokens!), outputs.logits!.data)).toBeLessThan(1e-5)
})

test("an exported folder is the one that transformers was seen to load, with the same logits and tokens", async () => {
  const tokenizer = await Effect.runPromise(trainBpe([...texts, ...texts], { vocab: config.vocab }))
  expect(tokenizer.size).toBe(config.vocab)
  const files = saveGpt(config, values, tokenizer)
  const tokens = int32([2, 8], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3])
  const logits = float32([2, 8, config.vocab], logitsOf(config, values, tokens))
  keep("millrace-gpt2", {
    ...files,
    "expected.safetensors": encodeSafetensors({ "in/tokens": tokens, "out/logits": logits }),
    "texts.json": new TextEncoder().encode(JSON.stringify(texts.map((text) => [text, [...tokenizer.encode(text)]]))),
  })
  const { oracle, digests } = recorded("gpt2")
  expect(oracle).toContain("GPT2LMHeadModel")
  expect(digestsOf(files)).toEqual(digests)
})

test("what is exported loads as it was", async () => {
  const back = await load(saveGpt(config, values))
  expect(back.config).toEqual(config)
  expect(back.values).toEqual(values)
})

describe("a folder that does not fit is refused, and everything wrong with it is named:", () => {
  const files = saveGpt(config, values)
  const json = JSON.parse(new TextDecoder().decode(files["config.json"]))
  const withConfig = (change: object): Files => ({
    ...files,
    "config.json": new TextEncoder().encode(JSON.stringify({ ...json, ...change })),
  })

  test("a file that is missing", async () => {
    expect((await refusal({ "pytorch_model.bin": new Uint8Array() })).expected).toBe("a file config.json")
    expect((await refusal({ "config.json": files["config.json"]! })).expected).toBe("a file model.safetensors")
  })

  test("a config whose numbers ours does not compute", async () => {
    const { expected, received } = await refusal(withConfig({ activation_function: "relu", layer_norm_epsilon: 1e-6 }))
    expect(expected).toBe('activation_function: "gelu_new"\nlayer_norm_epsilon: 0.00001')
    expect(received).toBe('activation_function: "relu"\nlayer_norm_epsilon: 0.000001')
  })

  test("a config without sizes", async () => {
    expect((await refusal(withConfig({ n_embd: "wide" }))).where).toBe("folder/config.json")
  })

  test("tensors that are missing, left over, misshapen and of another dtype, in one error", async () => {
    const { "transformer.h.1.ln_2.bias": _, ...rest } = toCheckpoint(huggingFaceGpt2, values)
    const tensors: HostTensors = {
      ...rest,
      stray: float32([1], [0]),
      "transformer.h.0.mlp.c_fc.bias": float32([3], [1, 2, 3]),
      "transformer.wte.weight": int32([1], [1]),
    }
    const { received } = await refusal({ ...files, "model.safetensors": encodeSafetensors(tensors) })
    expect(received.split("\n").sort()).toEqual([
      "[3]",
      "stray: float32 [1]",
      "transformer.h.1.ln_2.bias: missing",
      "transformer.wte.weight: int32 [1]",
    ])
  })
})
