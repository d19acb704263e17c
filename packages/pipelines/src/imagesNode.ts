/** Ports of the stages that a recipe for images is given. */
import type { ArtifactPort, Ports, StageNode } from "@millrace/core"
import type { CaptionedImages } from "./artifacts/captionedImages.js"

type NoPorts = Record<never, never>

/** A stage without inputs that gives images with captions. */
export type ImagesNode = StageNode<NoPorts & Ports, ArtifactPort<"captioned-images", CaptionedImages>>
