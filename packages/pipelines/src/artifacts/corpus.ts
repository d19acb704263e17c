/** A corpus: documents of running text, split into those to learn from and those held out. */
import { artifactKind, canonicalJson, sha256 } from "@millrace/core"

export interface Document {
  readonly title: string
  readonly text: string
}

export interface Corpus {
  /** Where the text comes from, with version and licence. */
  readonly source: string
  readonly train: ReadonlyArray<Document>
  readonly heldOut: ReadonlyArray<Document>
}

const entry = ({ title, text }: Document) => ({ title, characters: text.length, sha256: sha256(text) })

/** The manifest alone is kept, not the text: its hashes decide the digest, its source says where to get the text. */
export const corpusKind = artifactKind("corpus", ({ source, train, heldOut }: Corpus) => ({
  "corpus.json": new TextEncoder().encode(
    canonicalJson({ source, train: train.map(entry), heldOut: heldOut.map(entry) }),
  ),
}))
