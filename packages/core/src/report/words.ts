import type { RunStory, StageStory } from "./story.js"

/** What a state is called. */
export const stateWords: Readonly<Record<RunStory["status"] | StageStory["status"], string>> = {
  running: "Unfinished",
  done: "Done",
  cached: "Found in the store",
  failed: "Failed",
  stopped: "Stopped",
  waiting: "Not started",
}
