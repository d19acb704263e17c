/** ONNX Runtime sessions by the hash of their model, the most recently used ones kept. Runs in the engine's child. */
import type { InferenceSession } from "onnxruntime-node"

/**
 * Sessions kept at once. Making one takes from milliseconds to seconds, and a released one does not give all of its
 * native memory back (onnxruntime issue 25325), so they are kept and bounded.
 */
const capacity = 32

export interface Sessions {
  readonly get: (hash: string, model: Uint8Array) => Promise<InferenceSession>
}

export const makeSessions = (create: (model: Uint8Array) => Promise<InferenceSession>): Sessions => {
  const kept = new Map<string, InferenceSession>()
  return {
    get: async (hash, model) => {
      const found = kept.get(hash)
      const session = found ?? (await create(model))
      // A Map iterates in the order of insertion: re-inserted is most recent, first is least recent.
      kept.delete(hash)
      kept.set(hash, session)
      for (const [oldest, stale] of kept) {
        if (kept.size <= capacity) break
        kept.delete(oldest)
        await stale.release()
      }
      return session
    },
  }
}
