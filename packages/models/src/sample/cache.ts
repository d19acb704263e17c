/**
 * The key-value cache: what attention has seen, kept so that a new token costs one position and not all.
 * Axes   b batch, h heads, s slot, e head width
 *
 * One table of keys and one of values a layer, `b h s e`.
 */
import { type Specs, spec } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import type { GptConfig } from "../gpt.js"

export const keysOf = (layer: number): string => `blocks.${layer}.keys`
export const valuesOf = (layer: number): string => `blocks.${layer}.values`

/** The cache's tensors for `slots` positions. */
export const cacheSpecs = (
  { layers, heads, width }: Pick<GptConfig, "layers" | "heads" | "width">,
  batch: number,
  slots: number,
): Specs =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, l) => [keysOf(l), valuesOf(l)])
      .flat()
      .map((name) => [name, spec("float32", [batch, heads, slots, width / heads])]),
  )

/** The table of the first positions' keys or values, `b h t e`, with the slots after them empty. float32 b h s e */
export const fillSlots = (filled: tf.Tensor, slots: number): tf.Tensor =>
  tf.pad(filled, [
    [0, 0],
    [0, 0],
    [0, slots - (filled.shape[2] ?? 0)],
    [0, 0],
  ])
