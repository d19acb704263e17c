import { type RenameTable, SparseConfig, sparseLogits, sparseLoss, sparseParams } from "@millrace/models"
import { parityModel } from "./parity.js"

const linear = (ours: string, theirs: string | ReadonlyArray<string>): RenameTable["renames"] => {
  const names = typeof theirs === "string" ? [theirs] : theirs
  return [
    { ours: `${ours}.weight`, theirs: names.map((name) => `${name}.weight`), axes: "o i -> i o" },
    { ours: `${ours}.bias`, theirs: names.map((name) => `${name}.bias`) },
  ]
}
const norm = (ours: string, theirs: string): RenameTable["renames"] => [
  { ours: `${ours}.gain`, theirs: `${theirs}.weight` },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

/** Names of the module in sparse.py. */
const dense: RenameTable = {
  name: "sparse transformer with dense masks",
  renames: [
    { ours: "text.token", theirs: "words.weight" },
    { ours: "text.position", theirs: "places" },
    { ours: "image.token", theirs: "codes.weight" },
    { ours: "image.row", theirs: "rows" },
    { ours: "image.column", theirs: "columns" },
    ...norm("blocks.{i}.norm1", "layers.{i}.ln_1"),
    ...linear("blocks.{i}.attention.qkv", ["layers.{i}.query", "layers.{i}.key", "layers.{i}.value"]),
    ...linear("blocks.{i}.attention.out", "layers.{i}.project"),
    ...norm("blocks.{i}.norm2", "layers.{i}.ln_2"),
    ...linear("blocks.{i}.mlp.up", "layers.{i}.up"),
    ...linear("blocks.{i}.mlp.down", "layers.{i}.down"),
    ...norm("norm", "norm"),
    { ours: "unembedding.text", theirs: "output_text.weight" },
    { ours: "unembedding.image", theirs: "output_image.weight" },
  ],
}

export const sparseParity = parityModel({
  model: "Sparse transformer",
  paper: "Ramesh et al. 2021",
  figure: "section 2.2, figure 11",
  file: "sparse.ts",
  fixtures: ["sparse", "sparse-one-head"],
  config: SparseConfig,
  params: sparseParams,
  table: () => dense,
  apply: (config, params, inputs) => {
    const { tokens, mask, codes } = inputs as Record<"tokens" | "mask" | "codes", NonNullable<(typeof inputs)[string]>>
    const { text, image } = sparseLogits(config, params, { tokens, mask, codes })
    return { text, image, ...sparseLoss(text, image, tokens, mask, codes, { pads: "counted" }) }
  },
})
