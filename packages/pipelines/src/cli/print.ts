import { Effect } from "effect"

/** Writes an answer to stdout, ending in a new line. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`))
