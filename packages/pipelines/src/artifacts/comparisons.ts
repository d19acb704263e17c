/** Answers of a policy, and a labeler's comparisons of them. */
import { artifactKind, type FileForm, type Files, jsonLinesFile, namedFiles } from "@millrace/core"
import { Effect, Schema } from "effect"
import { TokenRow } from "./tokenRows.js"

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

const answerFields = { prompt: TokenRow, answers: Schema.Array(TokenRow) }
const answerRows = jsonLinesFile(Schema.Struct(answerFields))
const numbers = Schema.Array(Schema.Finite)
const comparisonRows = jsonLinesFile(
  Schema.Struct({ ...answerFields, preference: numbers, gold: numbers }).check(
    Schema.makeFilter(({ answers: { length }, preference, gold }) =>
      preference.length === length && gold.length === length
        ? undefined
        : `${length} preferences and gold scores, one an answer`,
    ),
  ),
)

const names = ["train.jsonl", "held-out.jsonl"] as const

const write = <Row>(form: FileForm<ReadonlyArray<Row>>, { train, heldOut }: Split<Row>): Files => ({
  "train.jsonl": form.write(train),
  "held-out.jsonl": form.write(heldOut),
})

const read = <Row>(form: FileForm<ReadonlyArray<Row>>, files: Files, where: string) =>
  Effect.gen(function* () {
    const found = yield* namedFiles(files, where, names)
    return { train: yield* form.read(found["train.jsonl"]), heldOut: yield* form.read(found["held-out.jsonl"]) }
  })

const both = <A, B>({ train, heldOut }: Split<A>, f: (row: A) => B): Split<B> => ({
  train: train.map(f),
  heldOut: heldOut.map(f),
})

type Plain = typeof answerFields.prompt.Type
const plain = ({ prompt, answers }: Answers) => ({ prompt: [...prompt], answers: answers.map((a) => [...a]) })
const typed = ({ prompt, answers }: { readonly prompt: Plain; readonly answers: ReadonlyArray<Plain> }): Answers => ({
  prompt: Int32Array.from(prompt),
  answers: answers.map((answer) => Int32Array.from(answer)),
})

export const answersKind = artifactKind(
  "answers",
  (answers: Split<Answers>) => write(answerRows, both(answers, plain)),
  (files) => Effect.map(read(answerRows, files, "answers"), (rows) => both(rows, typed)),
)

export const comparisonsKind = artifactKind(
  "comparisons",
  (comparisons: Split<Comparison>) =>
    write(
      comparisonRows,
      both(comparisons, ({ preference, gold, ...answers }) => ({ ...plain(answers), preference, gold })),
    ),
  (files) =>
    Effect.map(read(comparisonRows, files, "comparisons"), (rows) =>
      both(rows, ({ preference, gold, ...answers }) => ({ ...typed(answers), preference, gold })),
    ),
)
