/** Folders of checkpoints among the fixtures: those that another framework saved, and ours, which it was seen to load. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeSafetensors, type Files, type HostTensors, sha256 } from "@millrace/core"
import { Effect } from "effect"

const root = fileURLToPath(new URL("../fixtures/checkpoints", import.meta.url))

export const checkpoint = (name: string): Files => {
  const folder = join(root, name)
  return Object.fromEntries(readdirSync(folder).map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]))
}

/** The inputs and outputs that stand beside a folder's weights. */
export const expectedOf = (files: Files): { readonly inputs: HostTensors; readonly outputs: HostTensors } => {
  const { tensors } = Effect.runSync(decodeSafetensors(files["expected.safetensors"]!, "expected.safetensors"))
  const under = (prefix: string): HostTensors =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
      ),
    )
  return { inputs: under("in/"), outputs: under("out/") }
}

/** Digests of files by name. */
export const digestsOf = (files: Files): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]))

/** What was found when another framework loaded a folder of ours: `python tests/parity/make.py checkpoints`. */
export const recorded = (
  name: string,
): { readonly oracle: string; readonly digests: Readonly<Record<string, string>> } =>
  JSON.parse(readFileSync(join(root, "record.json"), "utf8"))[name]

/** Writes a folder of ours for the fixture command, when `UPDATE_CHECKPOINTS` is set. */
export const keep = (name: string, files: Files): void => {
  if (process.env.UPDATE_CHECKPOINTS === undefined) return
  mkdirSync(join(root, name), { recursive: true })
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(root, name, file), bytes)
}
