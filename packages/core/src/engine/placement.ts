/**
 * Sees to it that an execution provider runs what it was asked to run. ONNX Runtime gives kernels that a provider does
 * not take to the CPU and says nothing; here the first run of a session tells who ran what. Runs in the engine's child.
 */
import { productOps } from "../onnx/productOps.js"
import { cameToStop } from "./directRun.js"
import type { EngineKernel } from "./measured.js"
import type { Model } from "./model.js"
import { type MakeRecording, record } from "./recording.js"
import type { Session } from "./sessions.js"

/**
 * The arithmetic of a network is in its products: these must run where they were asked to, while others may run on the CPU
 * where the provider lacks them. Gives what a provider should have run and has not, in words; null where nothing is wrong.
 */
export const misplaced = (provider: string, kernels: ReadonlyArray<EngineKernel>): string | null => {
  const real = kernels.filter(({ op }) => !op.startsWith("Memcpy"))
  const elsewhere = real.filter((kernel) => kernel.provider !== provider)
  if (real.length > 0 && elsewhere.length === real.length) {
    return `none of ${real.length} kernels ran on ${provider}, all on ${real[0]!.provider}`
  }
  const heavy = elsewhere.filter(({ op }) => productOps.test(op))
  if (heavy.length === 0) return null
  const names = heavy.slice(0, 3).map(({ name, op }) => `${name} (${op})`)
  const more = heavy.length > names.length ? ` and ${heavy.length - names.length} more` : ""
  return `${names.join(", ")}${more} ran on ${heavy[0]!.provider} instead of ${provider}`
}

/** A session whose first run fails where the provider has left a matrix product, or everything, to another one. */
export const placedSession = async (provider: string, create: MakeRecording, model: Model): Promise<Session> => {
  const recording = await record(create, model)
  let checked: Promise<string | null> | null = null
  const check = async (): Promise<void> => {
    checked ??= recording.finish().then(({ kernels }) => misplaced(provider, kernels))
    const wrong = await checked
    if (wrong !== null) throw new Error(wrong)
  }
  return {
    run: async (feeds, fetches) => {
      try {
        const fetched = await recording.session.run(feeds, fetches)
        await check()
        return fetched
      } catch (error) {
        if (cameToStop(error)) await check()
        throw error
      }
    },
    release: async () => {
      checked ??= recording.finish().then(() => null)
      await checked
      await recording.session.release()
    },
  }
}
