/** Images made for captions, several for each: as they were drawn, and ranked by a score. */
import { artifactKind, type BadData, type Files, jsonFile, namedFiles, pathSegment } from "@millrace/core"
import { Effect, Schema } from "effect"
import { Count } from "../ranges.js"
import { hasPicture, readPicture, writePicture } from "./pictureGrid.js"

/** What images were made for. */
export interface Request {
  readonly caption: string
  /** What is true of an image that the caption describes, where it is known. */
  readonly facts?: Readonly<Record<string, string>>
}

export interface Candidate {
  /** y x c, row by row. */
  readonly pixels: Uint8Array
  /** ln of the probability of its codes given the caption, under the model itself, nat. */
  readonly logProb: number
}

/** The candidates of one caption, in the order in which they were drawn. */
export interface Drawn {
  readonly request: Request
  readonly candidates: ReadonlyArray<Candidate>
  /**
   * Sets of 1, 2, 4, … candidates, fewer than those above, each drawn apart from all others: what the best of fewer is measured
   * on. None where that was not asked for.
   */
  readonly fewer: ReadonlyArray<ReadonlyArray<Candidate>>
}

export interface Candidates {
  /** Rows and columns of each image. */
  readonly size: number
  /** Captions by what they are: each group is judged by itself. */
  readonly groups: Readonly<Record<string, ReadonlyArray<Drawn>>>
}

export interface RankedDrawn extends Drawn {
  /** Of each candidate, in the order in which they were drawn; more is better. */
  readonly scores: ReadonlyArray<number>
  /** Of each set of fewer, likewise. */
  readonly fewerScores: ReadonlyArray<ReadonlyArray<number>>
}

export interface RankedCandidates {
  readonly size: number
  /** What gave the scores, and their unit: "CLIP, cosine". */
  readonly scorer: string
  readonly groups: Readonly<Record<string, ReadonlyArray<RankedDrawn>>>
}

type Groups<Row> = Readonly<Record<string, ReadonlyArray<Row>>>

const mapped = <A, B>(groups: Groups<A>, f: (row: A) => B): Groups<B> =>
  Object.fromEntries(Object.entries(groups).map(([name, rows]) => [name, rows.map(f)]))

/** Where a group's picture is: a folder for each kind of set, so that no name of a group meets that of another. */
const pictureFile = (set: "all" | "fewer", group: string): string => `${set}/${pathSegment(group)}.png`

/** A group's pictures: a row a caption, and a column a candidate of the largest set, or of those of fewer one after the other. */
const pictured = (groups: Groups<typeof Entry.Type>) =>
  Object.entries(groups).flatMap(([name, rows]) =>
    [
      { name, set: "all", counts: rows.map(({ logProb }) => logProb.length) } as const,
      { name, set: "fewer", counts: rows.map(({ fewer }) => fewer.flat().length) } as const,
    ].flatMap((one) => (hasPicture(one.counts) ? [{ ...one, file: pictureFile(one.set, name) }] : [])),
  )

const pictures = (groups: Groups<Drawn>, size: number): Files =>
  Object.fromEntries(
    pictured(mapped(groups, entry)).map(({ name, set, file }) => [
      file,
      writePicture(
        groups[name]!.map(({ candidates, fewer }) =>
          (set === "all" ? candidates : fewer.flat()).map(({ pixels }) => pixels),
        ),
        size,
      ),
    ]),
  )

const lengths = (sets: ReadonlyArray<ReadonlyArray<number>>): string => sets.map(({ length }) => length).join(" ")

const numbers = Schema.Array(Schema.Finite)
const entryFields = {
  caption: Schema.String,
  facts: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  logProb: numbers,
  fewer: Schema.Array(numbers),
}
const Entry = Schema.Struct(entryFields)
const RankedEntry = Schema.Struct({ ...entryFields, scores: numbers, fewerScores: Schema.Array(numbers) }).check(
  Schema.makeFilter(({ logProb, scores, fewer, fewerScores }) =>
    `${scores.length} ${lengths(fewerScores)}` === `${logProb.length} ${lengths(fewer)}`
      ? undefined
      : `${logProb.length} scores and ${lengths(fewer)} of fewer, one a candidate`,
  ),
)

/** A caption with what is told of its candidates, without their pixels. */
const entry = ({ request, candidates, fewer }: Drawn): typeof Entry.Type => ({
  caption: request.caption,
  ...(request.facts === undefined ? {} : { facts: { ...request.facts } }),
  logProb: candidates.map(({ logProb }) => logProb),
  fewer: fewer.map((set) => set.map(({ logProb }) => logProb)),
})

/** Entries with the pixels of their groups' pictures. */
const drawnOf = <Row extends typeof Entry.Type, D extends Drawn>(
  files: Files,
  where: string,
  own: string,
  { size, groups }: { readonly size: number; readonly groups: Groups<Row> },
  made: (drawn: Drawn, row: Row) => D,
): Effect.Effect<Groups<D>, BadData> =>
  Effect.gen(function* () {
    const withPictures = pictured(groups)
    const found = yield* namedFiles(files, where, [own, ...withPictures.map(({ file }) => file)])
    const pixels = new Map<string, ReadonlyArray<ReadonlyArray<Uint8Array>>>()
    for (const { file, counts } of withPictures) {
      pixels.set(file, yield* readPicture(found[file]!, counts, size))
    }
    /** Candidates of the next numbers, with the next pixels of a caption's row in a picture. */
    const candidatesFrom = (file: string, row: number) => {
      const images = pixels.get(file)?.[row] ?? []
      let next = 0
      return (logProbs: ReadonlyArray<number>): ReadonlyArray<Candidate> =>
        logProbs.map((logProb) => ({ pixels: images[next++]!, logProb }))
    }
    return Object.fromEntries(
      Object.entries(groups).map(([name, rows]) => [
        name,
        rows.map((row, i) => {
          const { caption, facts, logProb } = row
          const candidates = candidatesFrom(pictureFile("all", name), i)(logProb)
          const fewer = row.fewer.map(candidatesFrom(pictureFile("fewer", name), i))
          return made({ request: { caption, ...(facts === undefined ? {} : { facts }) }, candidates, fewer }, row)
        }),
      ]),
    )
  })

/** The one file that says what the others are. */
const only = (files: Files, name: string): Files =>
  Object.fromEntries(Object.entries(files).filter(([each]) => each === name))

const candidatesFile = jsonFile(
  Schema.Struct({ size: Count, groups: Schema.Record(Schema.String, Schema.Array(Entry)) }),
)
const CANDIDATES = "candidates.json"

export const candidatesKind = artifactKind(
  "candidates",
  ({ size, groups }: Candidates) => ({
    [CANDIDATES]: candidatesFile.write({ size, groups: mapped(groups, entry) }),
    ...pictures(groups, size),
  }),
  (files) =>
    Effect.gen(function* () {
      const own = yield* namedFiles(only(files, CANDIDATES), "candidates", [CANDIDATES])
      const read = yield* candidatesFile.read(own[CANDIDATES])
      return { size: read.size, groups: yield* drawnOf(files, "candidates", CANDIDATES, read, (drawn) => drawn) }
    }),
)

const rankedFile = jsonFile(
  Schema.Struct({
    size: Count,
    scorer: Schema.String,
    groups: Schema.Record(Schema.String, Schema.Array(RankedEntry)),
  }),
)
const RANKED = "ranked.json"

export const rankedCandidatesKind = artifactKind(
  "ranked-candidates",
  ({ size, scorer, groups }: RankedCandidates) => ({
    [RANKED]: rankedFile.write({
      size,
      scorer,
      groups: mapped(groups, (row) => ({
        ...entry(row),
        scores: [...row.scores],
        fewerScores: row.fewerScores.map((scores) => [...scores]),
      })),
    }),
    ...pictures(groups, size),
  }),
  (files) =>
    Effect.gen(function* () {
      const own = yield* namedFiles(only(files, RANKED), "ranked-candidates", [RANKED])
      const { scorer, ...read } = yield* rankedFile.read(own[RANKED])
      const groups = yield* drawnOf(files, "ranked-candidates", RANKED, read, (drawn, { scores, fewerScores }) => ({
        ...drawn,
        scores,
        fewerScores,
      }))
      return { size: read.size, scorer, groups }
    }),
)
