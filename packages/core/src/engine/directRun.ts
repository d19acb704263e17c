/**
 * Runs whose outputs stay where they were written. Runs in the engine's child.
 *
 * onnxruntime-node 1.30 lets a session write into the arrays that it is given, and then copies every output into a new
 * array that nobody asked for: 10 ms for 16 MB, most of it spent on fresh pages. It converts the outputs in order and
 * stops at the first that is no tensor. The models that an engine runs therefore have such an output in front of all others.
 */
import type { Tensor } from "onnxruntime-node"
import type { Session } from "./sessions.js"

/** The output that cannot be returned: an empty sequence. */
export const stopOutput = "engine.stop"

/** Whether an error says that a run came to its end, and to the output that cannot be returned. */
export const cameToStop = (error: unknown): boolean => error instanceof Error && /Non tensor type/.test(error.message)

/** Runs a session. Every output named in `fetches` is written into its tensor; nothing is returned. */
export const directRun = async (
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
  fetches: Readonly<Record<string, Tensor>>,
): Promise<void> => {
  try {
    const returned = await session.run(feeds, { [stopOutput]: null, ...fetches })
    // A binding that can return a sequence has returned the rest as well, perhaps in arrays of its own.
    for (const [name, { data }] of Object.entries(fetches)) {
      const made = returned[name]?.data
      if (made !== undefined && made !== data) (data as Float32Array).set(made as Float32Array)
    }
  } catch (error) {
    if (!cameToStop(error)) throw error
  }
}
