/** What recipes over captioned images are given from outside: the images, from any stage that makes them. */
import type { ArtifactPort, Ports, StageNode } from "@millrace/core"
import type { CaptionedImages } from "../artifacts/captionedImages.js"

type NoPorts = Record<never, never>

/** A stage without inputs that gives captioned images. */
export type CaptionedImagesNode = StageNode<NoPorts & Ports, ArtifactPort<"captioned-images", CaptionedImages>>
