/** A CLIP's config as `config.json` of CLIPModel, and back. */
import type { BadData } from "@millrace/core"
import { Effect } from "effect"
import { ClipConfig } from "../clip/clip.js"
import type { ClipTokenizer } from "../clip/tokenizer/clipTokenizer.js"
import type { VitConfig } from "../clip/vit.js"
import { decodeConfig, expectConfig, isJsonRecord, type JsonRecord } from "./folder.js"

/** What CLIP of `transformers` may be configured to and ours does not compute. */
const fixed = { layer_norm_eps: 1e-5 } as const
/**
 * With this end of text `transformers` reads a text at its largest token, as we do; with any other at the first token of
 * that number, which is the same where each text holds the largest of the vocabulary, and only there.
 */
const LARGEST = 2
/** Sizes that `transformers` takes where a config is silent. */
const textDefaults = {
  vocab_size: 49408,
  hidden_size: 512,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 8,
  max_position_embeddings: 77,
  hidden_act: "quick_gelu",
  eos_token_id: 49407,
} as const
const visionDefaults = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  image_size: 224,
  patch_size: 32,
  hidden_act: "quick_gelu",
} as const

type Tower = Pick<ClipConfig["text"], "width" | "layers" | "heads" | "activation">

const towerOf = ({ width, layers, heads, activation }: Tower) => ({
  ...fixed,
  hidden_size: width,
  intermediate_size: 4 * width,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  hidden_act: activation === "gelu" ? "gelu" : "quick_gelu",
  attention_dropout: 0,
})

/** The config of a CLIP with a vision transformer, as `transformers` computes the same. */
export const clipConfigJson = (
  { image, text, joint }: ClipConfig & { readonly image: VitConfig },
  tokenizer?: ClipTokenizer,
): JsonRecord => {
  return {
    model_type: "clip",
    architectures: ["CLIPModel"],
    projection_dim: joint,
    logit_scale_init_value: Math.log(1 / 0.07),
    text_config: {
      ...towerOf(text),
      model_type: "clip_text_model",
      projection_dim: joint,
      vocab_size: text.vocab,
      max_position_embeddings: text.context,
      bos_token_id: tokenizer?.startOfText ?? null,
      pad_token_id: tokenizer?.endOfText ?? null,
      eos_token_id: LARGEST,
    },
    vision_config: {
      ...towerOf(image),
      model_type: "clip_vision_model",
      projection_dim: joint,
      num_channels: 3,
      image_size: image.size,
      patch_size: image.patch,
    },
    dtype: "float32",
  }
}

/** A tower's config with what `transformers` adds: an older `<tower>_config_dict`, defaults included, goes before all else. */
const towerConfig = (json: JsonRecord, tower: "text" | "vision", defaults: JsonRecord): JsonRecord => {
  const [given, older] = [json[`${tower}_config`], json[`${tower}_config_dict`]]
  return {
    ...defaults,
    ...(isJsonRecord(given) ? given : {}),
    ...(isJsonRecord(older) ? { ...defaults, ...older } : {}),
  }
}

/** Keys of a tower with the tower's name before them, and what ours computes of them. */
const checksOf = (
  tower: JsonRecord,
  name: string,
  more: JsonRecord,
): readonly [found: JsonRecord, wanted: JsonRecord] => {
  const under = (record: JsonRecord): JsonRecord =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [`${name}.${key}`, value]))
  const { hidden_act, hidden_size } = tower
  const wanted = {
    ...fixed,
    ...more,
    hidden_act: hidden_act === "gelu" ? "gelu" : "quick_gelu",
    ...(typeof hidden_size === "number" ? { intermediate_size: 4 * hidden_size } : {}),
  }
  return [under(tower), under(wanted)]
}

const shapeOf = (tower: JsonRecord) => ({
  width: tower.hidden_size,
  layers: tower.num_hidden_layers,
  heads: tower.num_attention_heads,
  ...(tower.hidden_act === "gelu" ? { activation: "gelu" } : {}),
})

/**
 * @param where  the folder's name, for errors
 * @fails BadData  everything that ours does not compute; sizes that make no CLIP
 */
export const readClipConfig = (json: JsonRecord, where: string): Effect.Effect<ClipConfig, BadData> =>
  Effect.gen(function* () {
    const text = towerConfig(json, "text", textDefaults)
    const vision = towerConfig(json, "vision", visionDefaults)
    const { vocab_size: vocab, eos_token_id: end } = text
    const ends = typeof vocab === "number" && end === vocab - 1 ? end : LARGEST
    const checks = [
      checksOf(text, "text_config", { eos_token_id: ends }),
      checksOf(vision, "vision_config", { num_channels: 3 }),
    ]
    yield* expectConfig(
      Object.assign({}, json, ...checks.map(([found]) => found)),
      Object.assign({ model_type: "clip" }, ...checks.map(([, wanted]) => wanted)),
      where,
    )
    return yield* decodeConfig(
      ClipConfig,
      {
        joint: json.projection_dim ?? 512,
        image: { kind: "vit", size: vision.image_size, patch: vision.patch_size, ...shapeOf(vision) },
        text: { vocab, context: text.max_position_embeddings, ...shapeOf(text) },
      },
      "a projection_dim, and in text_config and vision_config the sizes of a CLIPModel",
      where,
    )
  })
