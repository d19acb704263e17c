/** ONNX Runtime sessions by the hash of their model, the most recently used ones kept. Runs in the engine's child. */
import type { InferenceSession } from "onnxruntime-node"
import type { Model } from "./model.js"

/** What the engine needs of a session. */
export interface Session {
  run(
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.FetchesType,
  ): Promise<InferenceSession.OnnxValueMapType>
  release(): Promise<void>
}

/**
 * Making a session takes from milliseconds to seconds, so they are kept; each holds on to the memory of its largest
 * run, so they are bounded: so many altogether, and so many that no program needs at present.
 */
const capacity = { all: 32, idle: 1 }

export interface Sessions {
  /** The session of a model; made where it is not kept. */
  readonly get: (hash: string, model: () => Model) => Promise<Session>
  /** Says that a program needs it, or needs it no longer. */
  readonly hold: (hash: string) => void
  readonly drop: (hash: string) => Promise<void>
  /** Releases a session that nothing will need again. */
  readonly discard: (hash: string) => Promise<void>
}

export const makeSessions = (create: (model: Model) => Promise<Session>): Sessions => {
  const kept = new Map<string, Session>()
  const holders = new Map<string, number>()
  const idle = (): ReadonlyArray<string> => [...kept.keys()].filter((hash) => !holders.has(hash))

  const trim = async (): Promise<void> => {
    // A Map iterates in the order of insertion, and a session is inserted anew when it is used: the first is the oldest.
    const tooIdle = idle().slice(0, Math.max(0, idle().length - capacity.idle))
    const others = [...kept.keys()].filter((hash) => !tooIdle.includes(hash))
    const tooMany = others.slice(0, Math.max(0, others.length - capacity.all))
    for (const hash of [...tooIdle, ...tooMany]) {
      const session = kept.get(hash)
      kept.delete(hash)
      await session?.release()
    }
  }
  return {
    get: async (hash, model) => {
      const session = kept.get(hash) ?? (await create(model()))
      kept.delete(hash)
      kept.set(hash, session)
      await trim()
      return session
    },
    hold: (hash) => {
      holders.set(hash, (holders.get(hash) ?? 0) + 1)
    },
    discard: async (hash) => {
      const session = kept.get(hash)
      kept.delete(hash)
      holders.delete(hash)
      await session?.release()
    },
    drop: (hash) => {
      const count = (holders.get(hash) ?? 0) - 1
      if (count > 0) holders.set(hash, count)
      else holders.delete(hash)
      return trim()
    },
  }
}
