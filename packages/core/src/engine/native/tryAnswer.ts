/** What a process that tried an engine says, as JSON on stdout. */
export type TryAnswer = { readonly version: string } | { readonly received: string; readonly fix: string }

/** Null where it ended before. TensorFlow writes to stdout too: the answer is the last line. */
export const tryAnswer = (stdout: string): TryAnswer | null => {
  try {
    const answer: TryAnswer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
    return answer
  } catch {
    return null
  }
}
