/** What the recipe is given from outside: a corpus and a labeler, each from any stage that makes one. */
import type { ArtifactPort, Ports, StageNode } from "@millrace/core"
import type { Corpus } from "../artifacts/corpus.js"
import type { Labeler } from "../artifacts/labeler.js"

type NoPorts = Record<never, never>

/** A stage without inputs that gives a corpus. */
export type CorpusNode = StageNode<NoPorts & Ports, ArtifactPort<"corpus", Corpus>>

/** A stage without inputs that gives a labeler. */
export type LabelerNode = StageNode<NoPorts & Ports, ArtifactPort<"labeler", Labeler>>
