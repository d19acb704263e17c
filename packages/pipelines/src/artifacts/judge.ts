/** A judge: what tells facts of images, trained apart from what made them. */
import { artifactKind, type CompileError, type Engine, type EngineError, type Files, namedFiles } from "@millrace/core"
import { Effect, type Scope } from "effect"
import { judgeFiles, judgeOf } from "../dalle/learntJudge.js"
import { codeAlone } from "./codeAlone.js"

/** What each image shows by name, as the judge has it: a fact that does not hold of an image is "none". */
export type Verdict = Readonly<Record<string, string>>

export interface Judge {
  readonly source: string
  /** The facts that it tells. */
  readonly facts: ReadonlyArray<string>
  /** A caption's facts in the form of its verdicts, so that the two can be compared. */
  readonly expected: (facts: Readonly<Record<string, string>>) => Verdict
  /** Makes what judges images of `size` · `size` pixels; it lives as long as the scope. */
  readonly open: () => Effect.Effect<
    (images: ReadonlyArray<Uint8Array>) => Effect.Effect<ReadonlyArray<Verdict>, EngineError>,
    CompileError | EngineError,
    Engine | Scope.Scope
  >
  readonly files: Files
}

/** Files of a judge that was learnt are read; one of your own is made again by its stage. */
export const judgeKind = artifactKind(
  "judge",
  ({ files }: Judge) => files,
  (files) =>
    Effect.gen(function* () {
      const { names } = judgeFiles
      if (names.every((name) => !Object.hasOwn(files, name)))
        return yield* codeAlone("judge", "a judge that was learnt", files)
      const found = yield* namedFiles(files, "judge", names)
      const { config: kept, params } = yield* judgeFiles.read(found)
      return judgeOf(kept.config, params, kept.vocabulary, kept.inverses)
    }),
)
