import type { Rename, RenameTable } from "./renameTable.js"

const conv = (ours: string, theirs: string): ReadonlyArray<Rename> => [
  { ours: `${ours}.weight`, theirs: `${theirs}.w`, axes: "o i y x -> y x i o" },
  { ours: `${ours}.bias`, theirs: `${theirs}.b` },
]

/** Encoder and decoder have the same names. */
const renames: ReadonlyArray<Rename> = [
  ...conv("input", "blocks.input"),
  ...conv("groups.{i}.{j}.convs.{k}", "blocks.group_{i+1}.block_{j+1}.res_path.conv_{k+1}"),
  ...conv("groups.{i}.{j}.skip", "blocks.group_{i+1}.block_{j+1}.id_path"),
  ...conv("output", "blocks.output.conv"),
]

/**
 * The dVAE's encoder as OpenAI's package names it.
 * @source openai/DALL-E `encoder.Encoder`
 */
export const openaiDvaeEncoder: RenameTable = { name: "dall_e Encoder", renames }

/**
 * The dVAE's decoder as OpenAI's package names it.
 * @source openai/DALL-E `decoder.Decoder`
 */
export const openaiDvaeDecoder: RenameTable = { name: "dall_e Decoder", renames }
