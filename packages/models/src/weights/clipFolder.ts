/** CLIPs in Hugging Face's folder layout: what `transformers` saves and loads as CLIPModel, CLIPProcessor's files with it. */
import {
  BadConfig,
  type BadData,
  canonicalJson,
  encodeSafetensors,
  type Files,
  flatten,
  type HostTensors,
  isParamSpec,
} from "@millrace/core"
import { Effect } from "effect"
import { type ClipConfig, clipParams } from "../clip/clip.js"
import { clipPixels } from "../clip/preprocess.js"
import type { ClipTokenizer } from "../clip/tokenizer/clipTokenizer.js"
import { clipSpecialTexts, clipTokenizerJson } from "../clip/tokenizer/clipTokenizerJson.js"
import { toCheckpoint } from "./checkpoint.js"
import { huggingFaceClip } from "./clip.js"
import { clipConfigJson, readClipConfig } from "./clipConfigJson.js"
import { expectConfig, readConfig, readWeights } from "./folder.js"

const preprocessing = {
  do_normalize: true,
  do_rescale: true,
  rescale_factor: 1 / 255,
  image_mean: clipPixels.mean,
  image_std: clipPixels.std,
} as const
const BICUBIC = 3

const preprocessorOf = (size: number) => ({
  ...preprocessing,
  image_processor_type: "CLIPImageProcessor",
  do_convert_rgb: true,
  do_resize: true,
  size: { shortest_edge: size },
  resample: BICUBIC,
  do_center_crop: true,
  crop_size: { height: size, width: size },
})

const tokenizerFiles = (tokenizer: ClipTokenizer, context: number): Readonly<Record<string, string>> => {
  const { start, end } = clipSpecialTexts
  return {
    "tokenizer.json": clipTokenizerJson(tokenizer),
    "tokenizer_config.json": canonicalJson({
      tokenizer_class: "CLIPTokenizer",
      bos_token: start,
      eos_token: end,
      pad_token: end,
      unk_token: end,
      model_max_length: context,
    }),
  }
}

/**
 * A CLIP with a vision transformer as a folder for `transformers`. A tokenizer adds `tokenizer.json` and its config.
 * @param values  of the parameters, by flat name
 * @throws BadConfig  a modified ResNet, which `transformers` does not have; a tokenizer of another size
 */
export const saveClip = (config: ClipConfig, values: HostTensors, tokenizer?: ClipTokenizer): Files => {
  const { image, text } = config
  if (image.kind !== "vit") {
    throw new BadConfig({
      where: "saveClip > image",
      expected: "a vision transformer, the one image tower of CLIPModel in transformers",
      received: `kind: "${image.kind}"`,
      fix: "write its weights with `toCheckpoint(openAiClip(config), values)` and `encodeSafetensors`: open_clip reads them",
    })
  }
  if (tokenizer !== undefined && tokenizer.size !== text.vocab) {
    throw new BadConfig({
      where: "saveClip > tokenizer",
      expected: `${text.vocab} tokens, the vocabulary of the text tower`,
      received: `${tokenizer.size} tokens`,
      fix: "give the tokenizer that the model was trained with",
    })
  }
  const texts = {
    "config.json": canonicalJson(clipConfigJson({ ...config, image }, tokenizer)),
    "preprocessor_config.json": canonicalJson(preprocessorOf(image.size)),
    ...(tokenizer === undefined ? {} : tokenizerFiles(tokenizer, text.context)),
  }
  const utf8 = new TextEncoder()
  return {
    ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, utf8.encode(text)])),
    // Without this format `transformers` takes the file for another framework's.
    "model.safetensors": encodeSafetensors(toCheckpoint(huggingFaceClip, values), { format: "pt" }),
  }
}

/**
 * A CLIP from a folder that `transformers` saved as CLIPModel, or that `saveClip` made. Its image processor's file, if
 * there is one, is to ask for the pixels that `clip.preprocess` makes.
 * @param where  the folder's name, for errors
 * @fails BadData  a missing or damaged file, a config that ours does not compute, weights of another shape
 */
export const loadClip = (
  files: Files,
  where: string,
): Effect.Effect<{ readonly config: ClipConfig; readonly values: HostTensors }, BadData> =>
  Effect.gen(function* () {
    const config = yield* readClipConfig(yield* readConfig(files, where), where)
    if (files["preprocessor_config.json"] !== undefined) {
      const name = "preprocessor_config.json"
      yield* expectConfig(yield* readConfig(files, where, name), preprocessing, where, name)
    }
    const specs = flatten(clipParams(config), isParamSpec)
    return { config, values: yield* readWeights(files, huggingFaceClip, specs, where) }
  })
