/**
 * What comes at each place of a U-Net on the way down, in the middle and on the way up, as specs.
 *
 * Each place on the way down, and the input before them, leaves its result as a skip; each place on the way up takes the
 * last that is left, joined to its input's channels. With n residual blocks a level on the way down, one place a level
 * changes the size, and n + 1 blocks a level on the way up use all of them.
 */
import type { ParamSpec } from "@millrace/core/definitions"
import { type Affine, convOf } from "../layers/params.js"
import { type ImageAttentionTree, imageAttentionParams } from "./imageAttention.js"
import { type Modulation, type ResidualTree, residualParams } from "./residual.js"

/** One place: a residual block, attention, a change of size, each if it is there. */
export type StageTree<Leaf> = {
  readonly residual?: ResidualTree<Leaf>
  readonly attention?: ImageAttentionTree<Leaf>
  /** A convolution of stride 2, or a residual block that halves. */
  readonly down?: Affine<Leaf>
  readonly halve?: ResidualTree<Leaf>
  /** A convolution behind a doubling, or a residual block that doubles. */
  readonly up?: Affine<Leaf>
  readonly double?: ResidualTree<Leaf>
}

export type WaysTree<Leaf> = {
  readonly down: ReadonlyArray<StageTree<Leaf>>
  readonly middle: {
    readonly before: ResidualTree<Leaf>
    readonly attention?: ImageAttentionTree<Leaf>
    readonly after: ResidualTree<Leaf>
  }
  readonly up: ReadonlyArray<StageTree<Leaf>>
}

/** What the places depend on. */
export interface WaysConfig {
  /** Channels of each level, the first that of the image's size. */
  readonly widths: ReadonlyArray<number>
  /** Of the embedding of time. */
  readonly embedding: number
  readonly blocks: number
  readonly attends: (level: number) => boolean
  readonly middleAttention: boolean
  readonly context?: number
  readonly modulation: Modulation
  readonly resample: "residual" | "convolution"
}

export const waysOf = (config: WaysConfig): WaysTree<ParamSpec> => {
  const { widths, embedding, blocks, attends, context, modulation, resample } = config
  const residual = (inputs: number, outputs: number) => residualParams(inputs, outputs, embedding, modulation)
  const attention = (channels: number) => imageAttentionParams(channels, context)
  const last = widths.length - 1
  const down: Array<StageTree<ParamSpec>> = []
  const skips = [widths[0]!]
  let channels = widths[0]!
  for (const [level, wide] of widths.entries()) {
    for (let i = 0; i < blocks; i++) {
      const block = { residual: residual(channels, wide) }
      down.push(attends(level) ? { ...block, attention: attention(wide) } : block)
      channels = wide
      skips.push(channels)
    }
    if (level < last) {
      down.push(
        resample === "residual" ? { halve: residual(channels, channels) } : { down: convOf(3, channels, channels) },
      )
      skips.push(channels)
    }
  }
  const middle = channels
  const up: Array<StageTree<ParamSpec>> = []
  for (let level = last; level >= 0; level--) {
    const wide = widths[level]!
    for (let i = 0; i <= blocks; i++) {
      const block = { residual: residual(channels + skips.pop()!, wide) }
      channels = wide
      up.push({
        ...block,
        ...(attends(level) ? { attention: attention(wide) } : {}),
        ...(level === 0 || i < blocks
          ? {}
          : resample === "residual"
            ? { double: residual(wide, wide) }
            : { up: convOf(3, wide, wide) }),
      })
    }
  }
  return {
    down,
    middle: {
      before: residual(middle, middle),
      ...(config.middleAttention ? { attention: attention(middle) } : {}),
      after: residual(middle, middle),
    },
    up,
  }
}
