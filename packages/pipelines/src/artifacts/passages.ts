/** Passages: sentences cut into an opening, which serves as a prompt, and the rest of the sentence. */
import { artifactKind } from "@millrace/core"

export interface Passage {
  /** The opening: always the same number of tokens. */
  readonly prompt: Int32Array
  /** The rest of the sentence, ending with end-of-text. */
  readonly continuation: Int32Array
}

export interface Passages {
  readonly promptLength: number
  /** The longest continuation, end-of-text included. */
  readonly continuationLength: number
  readonly train: ReadonlyArray<Passage>
  readonly heldOut: ReadonlyArray<Passage>
}

const lines = (passages: ReadonlyArray<Passage>): Uint8Array =>
  new TextEncoder().encode(
    passages
      .map(
        ({ prompt, continuation }) => `${JSON.stringify({ prompt: [...prompt], continuation: [...continuation] })}\n`,
      )
      .join(""),
  )

export const passagesKind = artifactKind("passages", ({ train, heldOut }: Passages) => ({
  "train.jsonl": lines(train),
  "held-out.jsonl": lines(heldOut),
}))
