/** The U-Nets of diffusers. */
import type { DecoderConfig } from "../decoder.js"
import type { UnetConfig } from "../unet.js"
import type { Rename, RenameTable } from "./renameTable.js"
import { convRenames, linearRenames, normRenames, type UnetNames, unetRenames } from "./unetRenames.js"

/** Several linear layers of theirs are one of ours. */
const joined = (ours: string, theirs: ReadonlyArray<string>): ReadonlyArray<Rename> => [
  { ours: `${ours}.weight`, theirs: theirs.map((name) => `${name}.weight`), axes: "o i -> i o" },
  { ours: `${ours}.bias`, theirs: theirs.map((name) => `${name}.bias`) },
]

const namesOf = ({ blocks }: UnetConfig): UnetNames => ({
  time1: "time_embedding.linear_1",
  time2: "time_embedding.linear_2",
  input: "conv_in",
  norm: "conv_norm_out",
  output: "conv_out",
  // A level has as many places as blocks and one more: a change of size on the way down, a block on the way up.
  place: (way, i, part) => {
    const level = `${way}_blocks.${Math.floor(i / (blocks + 1))}`
    const j = i % (blocks + 1)
    switch (part) {
      case "residual":
        return `${level}.resnets.${j}`
      case "attention":
        return `${level}.attentions.${j}`
      case "down":
        return `${level}.downsamplers.0.conv`
      case "halve":
        return `${level}.downsamplers.0`
      case "up":
        return `${level}.upsamplers.0.conv`
      case "double":
        return `${level}.upsamplers.0`
    }
  },
  middle: (part) =>
    part === "attention" ? "mid_block.attentions.0" : `mid_block.resnets.${part === "before" ? 0 : 1}`,
  residual: ({ ours, theirs }) => [
    ...normRenames({ ours: `${ours}.norm1`, theirs: `${theirs}.norm1` }),
    ...convRenames({ ours: `${ours}.conv1`, theirs: `${theirs}.conv1` }),
    ...linearRenames({ ours: `${ours}.time`, theirs: `${theirs}.time_emb_proj` }),
    ...normRenames({ ours: `${ours}.norm2`, theirs: `${theirs}.norm2` }),
    ...convRenames({ ours: `${ours}.conv2`, theirs: `${theirs}.conv2` }),
    ...convRenames({ ours: `${ours}.skip`, theirs: `${theirs}.conv_shortcut` }),
  ],
  attention: ({ ours, theirs }) => [
    ...normRenames({ ours: `${ours}.norm`, theirs: `${theirs}.group_norm` }),
    ...joined(`${ours}.qkv`, [`${theirs}.to_q`, `${theirs}.to_k`, `${theirs}.to_v`]),
    ...joined(`${ours}.context`, [`${theirs}.add_k_proj`, `${theirs}.add_v_proj`]),
    ...linearRenames({ ours: `${ours}.out`, theirs: `${theirs}.to_out.0` }),
  ],
})

/** A U-Net as `UNet2DModel` names it; its time scale and shift, and its resampling, are those of the config. */
export const diffusersUnet = (config: UnetConfig): RenameTable => ({
  name: "diffusers UNet2DModel",
  renames: unetRenames(config, namesOf(config)),
})

/**
 * Karlo's decoder as diffusers' `UnCLIPPipeline` keeps it: the tensors of the folder `decoder` (`UNet2DConditionModel`) and
 * of the folder `text_proj` (`UnCLIPTextProjModel`), with the folder's name before each.
 */
export const diffusersUnclip = (config: DecoderConfig): RenameTable => ({
  name: "diffusers UnCLIPPipeline",
  renames: [
    ...unetRenames(config.unet, namesOf(config.unet), "unet.", "decoder."),
    ...linearRenames({ ours: "text.time", theirs: "text_proj.embedding_proj" }),
    ...linearRenames({ ours: "text.sequence", theirs: "text_proj.encoder_hidden_states_proj" }),
    ...normRenames({ ours: "text.norm", theirs: "text_proj.text_encoder_hidden_states_norm" }),
    ...linearRenames({ ours: "image.time", theirs: "text_proj.clip_image_embeddings_project_to_time_embeddings" }),
    // Their outputs are 4 numbers of each channel, ours all channels of each token.
    {
      ours: "image.tokens.weight",
      theirs: "text_proj.clip_extra_context_tokens_proj.weight",
      axes: "(d k) i -> i (k d)",
    },
    { ours: "image.tokens.bias", theirs: "text_proj.clip_extra_context_tokens_proj.bias", axes: "(d k) -> (k d)" },
    { ours: "image.dropped", theirs: "text_proj.learned_classifier_free_guidance_embeddings" },
  ],
  sizes: { k: config.image?.tokens ?? 4 },
})
