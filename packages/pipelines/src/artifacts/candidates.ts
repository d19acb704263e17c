/** Images made for captions, several for each: as they were drawn, and ranked by a score. */
import { artifactKind, canonicalJson, type Files } from "@millrace/core"
import { encode } from "fast-png"

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

/** Candidates side by side: a row a caption, a column a candidate. */
const picture = (rows: ReadonlyArray<ReadonlyArray<Candidate>>, size: number): Uint8Array => {
  const columns = rows[0]?.length ?? 0
  const [width, height] = [columns * size, rows.length * size]
  const data = new Uint8Array(width * height * 3)
  for (const [row, candidates] of rows.entries()) {
    for (const [column, { pixels }] of candidates.entries()) {
      for (let y = 0; y < size; y++) {
        const line = pixels.subarray(y * size * 3, (y + 1) * size * 3)
        data.set(line, ((row * size + y) * width + column * size) * 3)
      }
    }
  }
  return encode({ width, height, data, channels: 3 })
}

/** One picture a group, and one of its sets of fewer, where it has such. */
const pictures = ({ size, groups }: Pick<Candidates, "size" | "groups">): Files =>
  Object.fromEntries(
    Object.entries(groups).flatMap(([name, rows]) => {
      const fewer = rows.map((row) => row.fewer.flat())
      return [
        [
          `${name}.png`,
          picture(
            rows.map(({ candidates }) => candidates),
            size,
          ),
        ] as const,
        ...((fewer[0]?.length ?? 0) === 0 ? [] : [[`${name}, fewer.png`, picture(fewer, size)] as const]),
      ]
    }),
  )

const json = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value))

/** A caption with what is told of its candidates, without their pixels. */
const entry = ({ request, candidates, fewer }: Drawn) => ({
  caption: request.caption,
  ...(request.facts === undefined ? {} : { facts: { ...request.facts } }),
  logProb: candidates.map(({ logProb }) => logProb),
  fewer: fewer.map((set) => set.map(({ logProb }) => logProb)),
})

const mapped = <A, B>(groups: Readonly<Record<string, ReadonlyArray<A>>>, f: (row: A) => B) =>
  Object.fromEntries(Object.entries(groups).map(([name, rows]) => [name, rows.map(f)]))

export const candidatesKind = artifactKind("candidates", ({ size, groups }: Candidates) => ({
  "candidates.json": json({ size, groups: mapped(groups, entry) }),
  ...pictures({ size, groups }),
}))

export const rankedCandidatesKind = artifactKind("ranked-candidates", ({ size, scorer, groups }: RankedCandidates) => ({
  "ranked.json": json({
    size,
    scorer,
    groups: mapped(groups, (row) => ({
      ...entry(row),
      scores: [...row.scores],
      fewerScores: row.fewerScores.map((scores) => [...scores]),
    })),
  }),
  ...pictures({ size, groups }),
}))
