/** Sessions that write down what their kernels took. Runs in the engine's child. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Model } from "./model.js"
import { type OrtProfile, readOrtProfile } from "./ortProfile.js"
import type { Session } from "./sessions.js"

interface RecordingSession extends Session {
  endProfiling(): void
}

/** Makes a session that records into a file whose name begins with `prefix`. */
export type MakeRecording = (model: Model, prefix: string) => Promise<RecordingSession>

export interface Recording {
  readonly session: Session
  /** Ends the recording: the session goes on without. */
  readonly finish: () => Promise<OrtProfile>
}

/**
 * @param inside  the folder in which the file is written for a while
 */
export const record = async (create: MakeRecording, model: Model, inside: string = tmpdir()): Promise<Recording> => {
  // ONNX Runtime tells a profile to a file alone, and nobody what it called it.
  const folder = await mkdtemp(join(inside, "millrace-profile-"))
  const remove = (): Promise<void> => rm(folder, { recursive: true })
  try {
    const session = await create(model, join(folder, "kernels"))
    return {
      session,
      finish: async () => {
        try {
          session.endProfiling()
          const [file] = await readdir(folder)
          return readOrtProfile(await readFile(join(folder, file!), "utf8"))
        } finally {
          await remove()
        }
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
