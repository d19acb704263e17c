import type { RenameTable } from "./renameTable.js"

/**
 * GPT-2 as `transformers` names it. Its `Conv1D` keeps weights as inputs × outputs, as ours are.
 * @source transformers `GPT2LMHeadModel`; `lm_head.weight` is the token embedding again where the two are tied
 */
export const huggingFaceGpt2: RenameTable = {
  name: "transformers GPT2LMHeadModel",
  renames: [
    { ours: "token", theirs: "transformer.wte.weight" },
    { ours: "position", theirs: "transformer.wpe.weight" },
    { ours: "blocks.{i}.norm1.gain", theirs: "transformer.h.{i}.ln_1.weight" },
    { ours: "blocks.{i}.norm1.bias", theirs: "transformer.h.{i}.ln_1.bias" },
    { ours: "blocks.{i}.attention.qkv.weight", theirs: "transformer.h.{i}.attn.c_attn.weight" },
    { ours: "blocks.{i}.attention.qkv.bias", theirs: "transformer.h.{i}.attn.c_attn.bias" },
    { ours: "blocks.{i}.attention.out.weight", theirs: "transformer.h.{i}.attn.c_proj.weight" },
    { ours: "blocks.{i}.attention.out.bias", theirs: "transformer.h.{i}.attn.c_proj.bias" },
    { ours: "blocks.{i}.norm2.gain", theirs: "transformer.h.{i}.ln_2.weight" },
    { ours: "blocks.{i}.norm2.bias", theirs: "transformer.h.{i}.ln_2.bias" },
    { ours: "blocks.{i}.mlp.up.weight", theirs: "transformer.h.{i}.mlp.c_fc.weight" },
    { ours: "blocks.{i}.mlp.up.bias", theirs: "transformer.h.{i}.mlp.c_fc.bias" },
    { ours: "blocks.{i}.mlp.down.weight", theirs: "transformer.h.{i}.mlp.c_proj.weight" },
    { ours: "blocks.{i}.mlp.down.bias", theirs: "transformer.h.{i}.mlp.c_proj.bias" },
    { ours: "norm.gain", theirs: "transformer.ln_f.weight" },
    { ours: "norm.bias", theirs: "transformer.ln_f.bias" },
    { ours: "unembedding", theirs: "lm_head.weight" },
  ],
  tied: { "lm_head.weight": "transformer.wte.weight" },
  // Older checkpoints keep causal masks.
  ignored: ["transformer.h.{i}.attn.bias", "transformer.h.{i}.attn.masked_bias"],
}
