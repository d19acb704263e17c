/** Answers of a policy, and a labeler's comparisons of them. */
import { artifactKind } from "@millrace/core"

/** K answers to one prompt. */
export interface Answers {
  readonly prompt: Int32Array
  /** Each ends with end-of-text or at the length limit. */
  readonly answers: ReadonlyArray<Int32Array>
}

/** The answers ranked by a labeler: a higher preference is better, equal preferences are a tie. */
export interface Comparison extends Answers {
  readonly preference: ReadonlyArray<number>
  /** Gold scores, kept to evaluate with; no model is trained on them. */
  readonly gold: ReadonlyArray<number>
}

export interface Split<T> {
  readonly train: ReadonlyArray<T>
  readonly heldOut: ReadonlyArray<T>
}

const jsonLines = (rows: ReadonlyArray<object>): Uint8Array =>
  new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(""))

const plain = ({ prompt, answers }: Answers) => ({ prompt: [...prompt], answers: answers.map((a) => [...a]) })

export const answersKind = artifactKind("answers", ({ train, heldOut }: Split<Answers>) => ({
  "train.jsonl": jsonLines(train.map(plain)),
  "held-out.jsonl": jsonLines(heldOut.map(plain)),
}))

const plainComparison = (c: Comparison) => ({ ...plain(c), preference: c.preference, gold: c.gold })

export const comparisonsKind = artifactKind("comparisons", ({ train, heldOut }: Split<Comparison>) => ({
  "train.jsonl": jsonLines(train.map(plainComparison)),
  "held-out.jsonl": jsonLines(heldOut.map(plainComparison)),
}))
