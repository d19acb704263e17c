/** What the command answers when a run is done. */
import { type RecordedRun, type RunStory, textTable } from "@millrace/core"

const tablesOf = (story: RunStory) =>
  [...story.stages.values()].flatMap((stage) =>
    [...stage.tables.values()].map((table) => ({ stage: stage.name, ...table })),
  )

/** Those that the report shows: the first of each title, the last, and some between; the folder has them all. */
const imagesOf = (story: RunStory) =>
  [...story.stages.values()].flatMap((stage) =>
    [...stage.images].flatMap(([title, { grids }]) =>
      grids.map(({ grid: { step, file } }) => ({ stage: stage.name, title, step, file })),
    ),
  )

const finite = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value

/** One JSON document. */
export const answerJson = ({ folder, digests, story }: RecordedRun): string =>
  JSON.stringify(
    {
      run: folder.id,
      folder: folder.path,
      status: story.status,
      seconds: story.seconds,
      digests,
      tables: tablesOf(story),
      images: imagesOf(story),
    },
    finite,
    2,
  )

/** The tables of the last stage that made some; the report has them all. */
export const answerText = ({ story }: RecordedRun): string => {
  const tables = tablesOf(story)
  const last = tables.at(-1)?.stage
  return tables
    .filter(({ stage }) => stage === last)
    .map(textTable)
    .join("\n\n")
}
