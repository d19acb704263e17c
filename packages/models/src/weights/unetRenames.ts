/** A U-Net's names in another framework: where each place is, and what its tensors are called there. */
import { type UnetConfig, unetParams } from "../unet.js"
import type { Rename } from "./renameTable.js"

/** One part of a U-Net in our names and in theirs. */
export interface Part {
  readonly ours: string
  readonly theirs: string
}

/** How another framework names things. */
export interface UnetNames {
  readonly time1: string
  readonly time2: string
  readonly input: string
  readonly norm: string
  readonly output: string
  /** The parts of the i-th place on the way down or up. */
  readonly place: (way: "down" | "up", i: number, part: PlacePart, hasAttention: boolean) => string
  readonly middle: (part: "before" | "attention" | "after", hasAttention: boolean) => string
  readonly residual: (part: Part) => ReadonlyArray<Rename>
  readonly attention: (part: Part) => ReadonlyArray<Rename>
}

export type PlacePart = "residual" | "attention" | "down" | "halve" | "up" | "double"
const placeParts: ReadonlyArray<PlacePart> = ["residual", "attention", "down", "halve", "up", "double"]

/** A linear layer of PyTorch. */
export const linearRenames = ({ ours, theirs }: Part): ReadonlyArray<Rename> => [
  { ours: `${ours}.weight`, theirs: `${theirs}.weight`, axes: "o i -> i o" },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

/** A convolution of PyTorch. */
export const convRenames = ({ ours, theirs }: Part): ReadonlyArray<Rename> => [
  { ours: `${ours}.weight`, theirs: `${theirs}.weight`, axes: "o i y x -> y x i o" },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

/** A norm of PyTorch. */
export const normRenames = ({ ours, theirs }: Part): ReadonlyArray<Rename> => [
  { ours: `${ours}.gain`, theirs: `${theirs}.weight` },
  { ours: `${ours}.bias`, theirs: `${theirs}.bias` },
]

/** All renames of a U-Net whose parameters stand below a prefix of ours and one of theirs. */
export const unetRenames = (config: UnetConfig, names: UnetNames, ours = "", theirs = ""): ReadonlyArray<Rename> => {
  const { down, middle, up } = unetParams(config)
  const part = (mine: string, foreign: string): Part => ({ ours: ours + mine, theirs: theirs + foreign })
  const places = (["down", "up"] as const).flatMap((way) =>
    (way === "down" ? down : up).flatMap((stage, i) => {
      const hasAttention = stage.attention !== undefined
      return placeParts.flatMap((kind) => {
        if (stage[kind] === undefined) return []
        const found = part(`${way}.${i}.${kind}`, names.place(way, i, kind, hasAttention))
        if (kind === "attention") return names.attention(found)
        return kind === "down" || kind === "up" ? convRenames(found) : names.residual(found)
      })
    }),
  )
  const hasAttention = middle.attention !== undefined
  const centre = (["before", "attention", "after"] as const).flatMap((kind) => {
    if (kind === "attention" && !hasAttention) return []
    const found = part(`middle.${kind}`, names.middle(kind, hasAttention))
    return kind === "attention" ? names.attention(found) : names.residual(found)
  })
  return [
    ...linearRenames(part("time1", names.time1)),
    ...linearRenames(part("time2", names.time2)),
    ...convRenames(part("input", names.input)),
    ...places,
    ...centre,
    ...normRenames(part("norm", names.norm)),
    ...convRenames(part("output", names.output)),
  ]
}
