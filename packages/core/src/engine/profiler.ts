/**
 * Measuring calls inside the engine's child process. While a program is profiled, a session of its own, which records
 * its kernels, runs it in the place of the usual one; everything else is the way that every call takes.
 */
import type { EngineTrace, EngineWork, Span } from "./measured.js"
import type { Model } from "./model.js"
import { type MakeRecording, type Recording, record } from "./recording.js"
import type { Session, Sessions } from "./sessions.js"

export interface Profiler {
  /** Where the runner takes its sessions from. */
  readonly sessions: Sessions
  readonly begin: (hash: string, model: Model, folder: string) => Promise<void>
  /** One call of the runner. */
  readonly call: <A>(work: () => Promise<A>) => Promise<A>
  /** A part of a call that is the engine's own work, outside of the session: it gets a row of its own. May be a promise. */
  readonly work: <A>(name: string, work: () => A) => A
  /** What was measured since `begin`. */
  readonly end: () => Promise<EngineTrace>
}

interface Call {
  readonly began: number
  inside: number
  session: Span
  readonly work: Array<EngineWork>
}

interface Active {
  readonly hash: string
  readonly recording: Recording
  readonly timed: Session
  readonly calls: Array<Call>
  readonly resident: number
}

export const makeProfiler = (sessions: Sessions, create: MakeRecording): Profiler => {
  let active: Active | null = null
  let present: Call | null = null

  const timed = (session: Session): Session => ({
    run: async (feeds, fetches) => {
      const from = performance.now()
      try {
        return await session.run(feeds, fetches)
      } finally {
        if (present !== null) present.session = { start: from - present.began, duration: performance.now() - from }
      }
    },
    release: () => session.release(),
  })

  const end: Profiler["end"] = async () => {
    if (active === null) throw new Error("no program is being profiled")
    const { recording, calls, resident } = active
    active = null
    const { kernels, runs, allocated } = await recording.finish()
    await recording.session.release()
    return {
      kernels,
      resident,
      allocated,
      calls: calls.map(({ inside, session, work }, i) => {
        const { duration, starts, durations } = runs[i]!
        // The session's clock starts elsewhere; what JavaScript adds is taken to be as long before as after.
        const offset = session.start + Math.max(0, session.duration - duration) / 2
        return { inside, session, work, starts: starts.map((start) => start + offset), durations }
      }),
    }
  }
  return {
    sessions: {
      ...sessions,
      get: (hash, model) => (active?.hash === hash ? Promise.resolve(active.timed) : sessions.get(hash, model)),
    },
    begin: async (hash, model, folder) => {
      if (active !== null) await end()
      const resident = process.memoryUsage.rss()
      const recording = await record(create, model, folder)
      active = { hash, recording, timed: timed(recording.session), calls: [], resident }
    },
    call: async (work) => {
      if (active === null) return work()
      const call: Call = { began: performance.now(), inside: 0, session: { start: 0, duration: 0 }, work: [] }
      present = call
      try {
        const done = await work()
        call.inside = performance.now() - call.began
        active.calls.push(call)
        return done
      } finally {
        present = null
      }
    },
    work: (name, work) => {
      const call = present
      if (call === null) return work()
      const from = performance.now()
      const note = (): void => {
        call.work.push({ name, start: from - call.began, duration: performance.now() - from })
      }
      const done = work()
      if (done instanceof Promise) void done.then(note, note)
      else note()
      return done
    },
    end,
  }
}
