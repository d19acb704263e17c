import {
  AutoregressivePriorConfig,
  autoregressivePriorLogits,
  autoregressivePriorParams,
  type RenameTable,
} from "@millrace/models"
import { parityModel } from "./parity.js"

const linear = (ours: string, theirs: string) => [
  { ours: `${ours}.weight`, theirs: `${theirs}.weight`, axes: "o i -> i o" },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]
const norm = (ours: string, theirs: string) => [
  { ours: `${ours}.gain`, theirs: `${theirs}.weight` },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

const table: RenameTable = {
  name: "torch TransformerEncoderLayer",
  renames: [
    ...linear("text", "text"),
    ...linear("textEmbedding", "text_embedding"),
    { ours: "dot", theirs: "dot.weight" },
    { ours: "code", theirs: "code.weight" },
    { ours: "position", theirs: "position" },
    { ours: "blocks.{i}.attention.qkv.weight", theirs: "layers.{i}.self_attn.in_proj_weight", axes: "o i -> i o" },
    { ours: "blocks.{i}.attention.qkv.bias", theirs: "layers.{i}.self_attn.in_proj_bias" },
    ...linear("blocks.{i}.attention.out", "layers.{i}.self_attn.out_proj"),
    ...linear("blocks.{i}.mlp.up", "layers.{i}.linear1"),
    ...linear("blocks.{i}.mlp.down", "layers.{i}.linear2"),
    ...norm("blocks.{i}.norm1", "layers.{i}.norm1"),
    ...norm("blocks.{i}.norm2", "layers.{i}.norm2"),
    ...norm("norm", "norm"),
    ...linear("out", "out"),
  ],
}

export const autoregressivePriorParity = parityModel({
  model: "autoregressive prior",
  paper: "Ramesh et al. 2022",
  figure: "section 2.2",
  file: "unclip/autoregressivePrior.ts",
  fixtures: ["autoregressive-prior", "autoregressive-prior-one-head"],
  config: AutoregressivePriorConfig,
  params: autoregressivePriorParams,
  table: () => table,
  apply: (config, params, { text, textEmbedding, mask, dot, codes }) => ({
    logits: autoregressivePriorLogits(config, params, {
      text: text!,
      textEmbedding: textEmbedding!,
      mask: mask!,
      dot: dot!,
      codes: codes!,
    }),
  }),
})
