import type { ClipConfig } from "../clip/clip.js"
import type { Rename, RenameTable } from "./renameTable.js"

const linear = (ours: string, theirs: string): ReadonlyArray<Rename> => [
  { ours: `${ours}.weight`, theirs: `${theirs}.weight`, axes: "o i -> i o" },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

const norm = (ours: string, theirs: string): ReadonlyArray<Rename> => [
  { ours: `${ours}.gain`, theirs: `${theirs}.weight` },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

const kernel = (ours: string, theirs: string): Rename => ({
  ours: `${ours}.weight`,
  theirs: `${theirs}.weight`,
  axes: "o i y x -> y x i o",
})

const batchNorm = (ours: string, theirs: string): ReadonlyArray<Rename> => [
  ...norm(ours, theirs),
  { ours: `${ours}.mean`, theirs: `${theirs}.running_mean` },
  { ours: `${ours}.variance`, theirs: `${theirs}.running_var` },
]

// --- openai/CLIP and open_clip

const openAiBlocks = (ours: string, theirs: string): ReadonlyArray<Rename> => [
  ...norm(`${ours}.norm1`, `${theirs}.ln_1`),
  { ours: `${ours}.attention.qkv.weight`, theirs: `${theirs}.attn.in_proj_weight`, axes: "o i -> i o" },
  { ours: `${ours}.attention.qkv.bias`, theirs: `${theirs}.attn.in_proj_bias` },
  ...linear(`${ours}.attention.out`, `${theirs}.attn.out_proj`),
  ...norm(`${ours}.norm2`, `${theirs}.ln_2`),
  ...linear(`${ours}.mlp.up`, `${theirs}.mlp.c_fc`),
  ...linear(`${ours}.mlp.down`, `${theirs}.mlp.c_proj`),
]

const openAiVit: ReadonlyArray<Rename> = [
  kernel("image.patches", "visual.conv1"),
  { ours: "image.classToken", theirs: "visual.class_embedding" },
  { ours: "image.position", theirs: "visual.positional_embedding" },
  ...norm("image.normBefore", "visual.ln_pre"),
  ...openAiBlocks("image.blocks.{i}", "visual.transformer.resblocks.{i}"),
  ...norm("image.normAfter", "visual.ln_post"),
  { ours: "image.projection", theirs: "visual.proj" },
]

const three = [1, 2, 3] as const

const openAiResNet: ReadonlyArray<Rename> = [
  ...three.flatMap((n) => [
    kernel(`image.stem.conv${n}`, `visual.conv${n}`),
    ...batchNorm(`image.stem.norm${n}`, `visual.bn${n}`),
    kernel(`image.stages.{i}.{j}.conv${n}`, `visual.layer{i+1}.{j}.conv${n}`),
    ...batchNorm(`image.stages.{i}.{j}.norm${n}`, `visual.layer{i+1}.{j}.bn${n}`),
  ]),
  kernel("image.stages.{i}.{j}.skip.conv", "visual.layer{i+1}.{j}.downsample.0"),
  ...batchNorm("image.stages.{i}.{j}.skip.norm", "visual.layer{i+1}.{j}.downsample.1"),
  { ours: "image.pool.position", theirs: "visual.attnpool.positional_embedding" },
  ...linear("image.pool.query", "visual.attnpool.q_proj"),
  ...linear("image.pool.key", "visual.attnpool.k_proj"),
  ...linear("image.pool.value", "visual.attnpool.v_proj"),
  ...linear("image.pool.out", "visual.attnpool.c_proj"),
]

/** The batch norms' places in their names, for what is left out. */
const openAiNorms = [
  ...three.flatMap((n) => [`visual.bn${n}`, `visual.layer{i+1}.{j}.bn${n}`]),
  "visual.layer{i+1}.{j}.downsample.1",
]

/**
 * CLIP as openai/CLIP and open_clip name it, both image towers. A model of `norm: "batch"` leaves running statistics out.
 * @source openai/CLIP `model.py`; open_clip `model.py`, `modified_resnet.py` and `transformer.py`
 */
export const openAiClip = ({ image }: ClipConfig): RenameTable => ({
  name: "openai/CLIP state dict",
  renames: [
    ...(image.kind === "vit" ? openAiVit : openAiResNet),
    { ours: "text.token", theirs: "token_embedding.weight" },
    { ours: "text.position", theirs: "positional_embedding" },
    ...openAiBlocks("text.blocks.{i}", "transformer.resblocks.{i}"),
    ...norm("text.norm", "ln_final"),
    { ours: "text.projection", theirs: "text_projection" },
    { ours: "logScale", theirs: "logit_scale" },
  ],
  ignored: [
    // Facts about the model, in the files that OpenAI released.
    "input_resolution",
    "context_length",
    "vocab_size",
    ...openAiNorms.flatMap((place) => [
      `${place}.num_batches_tracked`,
      ...(image.kind === "resnet" && image.norm !== "running" ? [`${place}.running_mean`, `${place}.running_var`] : []),
    ]),
  ],
})

// --- transformers

const projections = ["q_proj", "k_proj", "v_proj"] as const

const huggingFaceBlocks = (ours: string, theirs: string): ReadonlyArray<Rename> => [
  ...norm(`${ours}.norm1`, `${theirs}.layer_norm1`),
  {
    ours: `${ours}.attention.qkv.weight`,
    theirs: projections.map((name) => `${theirs}.self_attn.${name}.weight`),
    axes: "o i -> i o",
  },
  { ours: `${ours}.attention.qkv.bias`, theirs: projections.map((name) => `${theirs}.self_attn.${name}.bias`) },
  ...linear(`${ours}.attention.out`, `${theirs}.self_attn.out_proj`),
  ...norm(`${ours}.norm2`, `${theirs}.layer_norm2`),
  ...linear(`${ours}.mlp.up`, `${theirs}.mlp.fc1`),
  ...linear(`${ours}.mlp.down`, `${theirs}.mlp.fc2`),
]

/**
 * CLIP with a vision transformer as `transformers` names it: queries, keys and values apart.
 * @source transformers `CLIPModel`, which has no ResNet. `pre_layrnorm` is its spelling
 */
export const huggingFaceClip: RenameTable = {
  name: "transformers CLIPModel",
  renames: [
    kernel("image.patches", "vision_model.embeddings.patch_embedding"),
    { ours: "image.classToken", theirs: "vision_model.embeddings.class_embedding" },
    { ours: "image.position", theirs: "vision_model.embeddings.position_embedding.weight" },
    ...norm("image.normBefore", "vision_model.pre_layrnorm"),
    ...huggingFaceBlocks("image.blocks.{i}", "vision_model.encoder.layers.{i}"),
    ...norm("image.normAfter", "vision_model.post_layernorm"),
    { ours: "image.projection", theirs: "visual_projection.weight", axes: "j d -> d j" },
    { ours: "text.token", theirs: "text_model.embeddings.token_embedding.weight" },
    { ours: "text.position", theirs: "text_model.embeddings.position_embedding.weight" },
    ...huggingFaceBlocks("text.blocks.{i}", "text_model.encoder.layers.{i}"),
    ...norm("text.norm", "text_model.final_layer_norm"),
    { ours: "text.projection", theirs: "text_projection.weight", axes: "j d -> d j" },
    { ours: "logScale", theirs: "logit_scale" },
  ],
  // Older checkpoints keep the numbers of the positions.
  ignored: ["text_model.embeddings.position_ids", "vision_model.embeddings.position_ids"],
}
