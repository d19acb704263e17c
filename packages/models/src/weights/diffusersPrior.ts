import type { RenameTable } from "./renameTable.js"

/**
 * The diffusion prior as `diffusers` names it, Karlo's among others. The mean and standard deviation of the embeddings,
 * `clip_mean` and `clip_std`, are no part of the network.
 * @source diffusers `PriorTransformer`
 */
export const diffusersPrior: RenameTable = {
  name: "diffusers PriorTransformer",
  renames: [
    { ours: "text.weight", theirs: "encoder_hidden_states_proj.weight", axes: "o i -> i o" },
    { ours: "text.bias", theirs: "encoder_hidden_states_proj.bias" },
    { ours: "textEmbedding.weight", theirs: "embedding_proj.weight", axes: "o i -> i o" },
    { ours: "textEmbedding.bias", theirs: "embedding_proj.bias" },
    { ours: "time1.weight", theirs: "time_embedding.linear_1.weight", axes: "o i -> i o" },
    { ours: "time1.bias", theirs: "time_embedding.linear_1.bias" },
    { ours: "time2.weight", theirs: "time_embedding.linear_2.weight", axes: "o i -> i o" },
    { ours: "time2.bias", theirs: "time_embedding.linear_2.bias" },
    { ours: "noised.weight", theirs: "proj_in.weight", axes: "o i -> i o" },
    { ours: "noised.bias", theirs: "proj_in.bias" },
    { ours: "query", theirs: "prd_embedding", axes: "1 1 d -> d" },
    { ours: "position", theirs: "positional_embedding", axes: "1 s d -> s d" },
    { ours: "blocks.{i}.norm1.gain", theirs: "transformer_blocks.{i}.norm1.weight" },
    { ours: "blocks.{i}.norm1.bias", theirs: "transformer_blocks.{i}.norm1.bias" },
    {
      ours: "blocks.{i}.attention.qkv.weight",
      theirs: [
        "transformer_blocks.{i}.attn1.to_q.weight",
        "transformer_blocks.{i}.attn1.to_k.weight",
        "transformer_blocks.{i}.attn1.to_v.weight",
      ],
      axes: "o i -> i o",
    },
    {
      ours: "blocks.{i}.attention.qkv.bias",
      theirs: [
        "transformer_blocks.{i}.attn1.to_q.bias",
        "transformer_blocks.{i}.attn1.to_k.bias",
        "transformer_blocks.{i}.attn1.to_v.bias",
      ],
    },
    {
      ours: "blocks.{i}.attention.out.weight",
      theirs: "transformer_blocks.{i}.attn1.to_out.0.weight",
      axes: "o i -> i o",
    },
    { ours: "blocks.{i}.attention.out.bias", theirs: "transformer_blocks.{i}.attn1.to_out.0.bias" },
    { ours: "blocks.{i}.norm2.gain", theirs: "transformer_blocks.{i}.norm3.weight" },
    { ours: "blocks.{i}.norm2.bias", theirs: "transformer_blocks.{i}.norm3.bias" },
    { ours: "blocks.{i}.mlp.up.weight", theirs: "transformer_blocks.{i}.ff.net.0.proj.weight", axes: "o i -> i o" },
    { ours: "blocks.{i}.mlp.up.bias", theirs: "transformer_blocks.{i}.ff.net.0.proj.bias" },
    { ours: "blocks.{i}.mlp.down.weight", theirs: "transformer_blocks.{i}.ff.net.2.weight", axes: "o i -> i o" },
    { ours: "blocks.{i}.mlp.down.bias", theirs: "transformer_blocks.{i}.ff.net.2.bias" },
    { ours: "norm.gain", theirs: "norm_out.weight" },
    { ours: "norm.bias", theirs: "norm_out.bias" },
    { ours: "out.weight", theirs: "proj_to_clip_embeddings.weight", axes: "o i -> i o" },
    { ours: "out.bias", theirs: "proj_to_clip_embeddings.bias" },
  ],
  ignored: ["clip_mean", "clip_std"],
}
