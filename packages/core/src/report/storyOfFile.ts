/** The story of an event file that nobody vouches for. */
import { readEvent } from "../run/eventSchema.js"
import { emptyStory, type RunStory, tell } from "./story.js"

export interface FileStory {
  readonly story: RunStory
  /** What is wrong with the file; undefined where nothing is. */
  readonly damage: string | undefined
  /** What a reader must know of a file that is not damaged. */
  readonly warnings: ReadonlyArray<string>
}

/** Steps are most of a file, and some questions need none of them. */
const isStep = (line: string): boolean => line.startsWith('{"type":"stage.step"')

const newline = 10

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/**
 * Every line that is an event is told. A process that was killed leaves half of its last line: that one is left out and said, as
 * are events of kinds that a later version tells. Any other line is a damage.
 * @param steps  false leaves the steps of the stages out
 */
export const storyOfFile = (bytes: Uint8Array, { steps = true } = {}): FileStory => {
  const lines = new TextDecoder().decode(bytes).split("\n")
  const unended = lines.length - 1
  const story = emptyStory()
  const strange: Array<number> = []
  const warnings: Array<string> = []
  let unknown = 0
  for (const [i, line] of lines.entries()) {
    if ((i === unended && line === "") || (!steps && isStep(line))) continue
    const event = readEvent(line)
    if (event === "unknown") unknown++
    else if (event !== "damaged") tell(story, event)
    else if (i < unended) strange.push(i)
    else {
      warnings.push(
        `The last line of events.jsonl was cut off, as happens when a run is killed: the ${i} events before it were read.`,
      )
    }
  }
  if (unknown > 0) {
    warnings.push(
      `${unknown} ${unknown === 1 ? "event is of a kind" : "events are of kinds"} that this version of Millrace does not know.`,
    )
  }
  const [first] = strange
  const damage =
    first !== undefined
      ? `${strange.length} of ${unended} lines are no events of a run; line ${first + 1}: ${lines[first]!.slice(0, 60)} …`
      : isUtf8(bytes.subarray(0, bytes.lastIndexOf(newline) + 1))
        ? undefined
        : "not UTF-8"
  return { story, damage, warnings }
}
