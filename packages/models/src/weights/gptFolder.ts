/** GPTs in Hugging Face's folder layout: what `transformers` saves and loads as GPT2LMHeadModel. */
import {
  type BadData,
  canonicalJson,
  encodeSafetensors,
  type Files,
  flatten,
  type HostTensors,
  isParamSpec,
} from "@millrace/core"
import { Effect } from "effect"
import type { Tokenizer } from "../bpe/tokenizer.js"
import { tokenizerJson } from "../bpe/tokenizerJson.js"
import { GptConfig, gptParams } from "../gpt.js"
import { toCheckpoint } from "./checkpoint.js"
import { decodeConfig, expectConfig, readConfig, readWeights } from "./folder.js"
import { huggingFaceGpt2 } from "./gpt2.js"

/** What GPT-2 of `transformers` may be configured to and ours does not compute. */
const fixed = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  layer_norm_epsilon: 1e-5,
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
  add_cross_attention: false,
} as const

/**
 * A GPT as a folder for `transformers`. A tokenizer adds `tokenizer.json`.
 * @param values  of the parameters, by flat name
 */
export const saveGpt = (config: GptConfig, values: HostTensors, tokenizer?: Tokenizer): Files => {
  const { vocab, context, width, layers, heads, mlp } = config
  const end = tokenizer?.endOfText ?? null
  const utf8 = new TextEncoder()
  const json = {
    ...fixed,
    architectures: ["GPT2LMHeadModel"],
    vocab_size: vocab,
    n_positions: context,
    n_embd: width,
    n_layer: layers,
    n_head: heads,
    n_inner: mlp ?? null,
    tie_word_embeddings: config.tied !== false,
    attn_pdrop: 0,
    embd_pdrop: 0,
    resid_pdrop: 0,
    bos_token_id: end,
    eos_token_id: end,
    dtype: "float32",
  }
  return {
    "config.json": utf8.encode(canonicalJson(json)),
    // Without this format `transformers` takes the file for another framework's.
    "model.safetensors": encodeSafetensors(toCheckpoint(huggingFaceGpt2, values), { format: "pt" }),
    ...(tokenizer === undefined ? {} : { "tokenizer.json": utf8.encode(tokenizerJson(tokenizer)) }),
  }
}

/** The base model's files leave the model's own name out of their tensors'. */
const prefixOf = (names: ReadonlyArray<string>): string => (names.includes("wte.weight") ? "transformer." : "")

/**
 * A GPT from a folder that `transformers` saved, or that `saveGpt` made.
 * @param where  the folder's name, for errors
 * @fails BadData  a missing or damaged file, a config that ours does not compute, weights of another shape
 */
export const loadGpt = (
  files: Files,
  where: string,
): Effect.Effect<{ readonly config: GptConfig; readonly values: HostTensors }, BadData> =>
  Effect.gen(function* () {
    const json = yield* readConfig(files, where)
    yield* expectConfig(json, fixed, where)
    const config = yield* decodeConfig(
      GptConfig,
      {
        vocab: json.vocab_size,
        context: json.n_positions,
        width: json.n_embd,
        layers: json.n_layer,
        heads: json.n_head,
        ...(typeof json.n_inner === "number" ? { mlp: json.n_inner } : {}),
        ...(json.tie_word_embeddings === false ? { tied: false } : {}),
      },
      "vocab_size, n_positions, n_embd, n_layer, n_head",
      where,
    )
    const specs = flatten(gptParams(config), isParamSpec)
    return { config, values: yield* readWeights(files, huggingFaceGpt2, specs, where, prefixOf) }
  })
