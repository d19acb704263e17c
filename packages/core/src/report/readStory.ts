/** A run read from its folder for its report, which stops at the first damage: a page made of half a run looks like a whole one. */
import { join } from "node:path"
import { Effect, Exit } from "effect"
import { readFile } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { damageText, type RunFacts, readRunFacts } from "../runs/runFacts.js"
import { graphFactsOfJson } from "./graphFacts.js"
import type { ReportInput } from "./renderReport.js"
import type { RunStory } from "./story.js"

/** A run that was read from its folder. `graph` is what its file tells; `graphFacts` of the decoded graph tells more. */
export interface RecordedStory extends ReportInput {
  readonly facts: RunFacts
  readonly images: ReadonlyMap<string, Uint8Array>
  readonly warnings: ReadonlyArray<string>
}

/** The images that the story shows, by path. One that cannot be read is left out: the report then names its file. */
export const readImages = (folder: string, story: RunStory): Effect.Effect<ReadonlyMap<string, Uint8Array>> =>
  Effect.gen(function* () {
    const shown = [...story.stages.values()].flatMap(({ images }) => [...images.values()].flatMap(({ grids }) => grids))
    const read = new Map<string, Uint8Array>()
    for (const { file } of shown.map(({ grid }) => grid)) {
      const inside = /^images\/(?!.*(?:^|\/)\.\.(?:\/|$))/.test(file)
      const bytes = inside ? yield* Effect.exit(readFile(join(folder, file))) : undefined
      if (bytes !== undefined && Exit.isSuccess(bytes)) read.set(file, bytes.value)
    }
    return read
  })

/** It tells how the run is made again; the report is whole without. */
const spare = "run.json"

/**
 * @param folder  of a run: `.runs/3f9c2a1b`
 * @fails BadData     a file is missing or not what a run writes; the file and, of events, the line are named
 * @fails DiskFailed  a file cannot be read
 */
export const readStory = (folder: string): Effect.Effect<RecordedStory, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const facts = yield* readRunFacts(folder)
    const { path, nodes, story, seed, environment, warnings } = facts
    const wrong = facts.damage.filter(({ file }) => file !== spare)
    if (nodes === undefined || wrong.length > 0) {
      return yield* new BadData({
        where: join(path, wrong[0]?.file ?? ""),
        expected: "what a run writes there",
        received: wrong.map(damageText).join("\n"),
        fix: "take the file from where the run was made, or run again with --seed and the same graph",
      })
    }
    const images = yield* readImages(path, story)
    return { facts, graph: graphFactsOfJson(nodes), story, seed, environment, images, warnings }
  })
