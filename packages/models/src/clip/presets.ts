/** The published sizes of CLIP. */
import type { ClipConfig } from "./clip.js"

/** Heads are 64 wide. */
const text = (width: number) => ({ vocab: 49408, context: 77, width, layers: 12, heads: width / 64 })
const resNet = (size: number, width: number, stages: readonly [number, number, number, number]) =>
  ({ kind: "resnet", size, width, stages }) as const
const vit = (size: number, patch: number, width: number, layers: number) =>
  ({ kind: "vit", size, patch, width, layers, heads: width / 64 }) as const

/**
 * Sizes by name. `RN50` and `RN101` have the blocks of those ResNets, the others follow EfficientNet's scaling.
 * @source  Radford et al. 2021, tables 19 and 20; blocks of RN50x4 and wider are those of the released weights.
 */
export const clipPresets = {
  RN50: { joint: 1024, image: resNet(224, 64, [3, 4, 6, 3]), text: text(512) },
  RN101: { joint: 512, image: resNet(224, 64, [3, 4, 23, 3]), text: text(512) },
  RN50x4: { joint: 640, image: resNet(288, 80, [4, 6, 10, 6]), text: text(640) },
  RN50x16: { joint: 768, image: resNet(384, 96, [6, 8, 18, 8]), text: text(768) },
  RN50x64: { joint: 1024, image: resNet(448, 128, [3, 15, 36, 10]), text: text(1024) },
  "ViT-B/32": { joint: 512, image: vit(224, 32, 768, 12), text: text(512) },
  "ViT-B/16": { joint: 512, image: vit(224, 16, 768, 12), text: text(512) },
  "ViT-L/14": { joint: 768, image: vit(224, 14, 1024, 24), text: text(768) },
  "ViT-L/14@336": { joint: 768, image: vit(336, 14, 1024, 24), text: text(768) },
} as const satisfies Record<string, ClipConfig>
