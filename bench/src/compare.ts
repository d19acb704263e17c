/** One case: all sides prepared from the same files, their losses compared, then measured in turn (A B A B …). */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SampleCase, TrainCase } from "./case.js"
import { childrenOf, peakBytes, resetPeak } from "./memory.js"
import { type Contestant, commandOf, hasEngineProcess, peerNames, titles } from "./peers.js"
import type { Compared, Memory, Row } from "./results.js"
import { writeStart } from "./start.js"
import { summarise } from "./statistics.js"
import { optimizer, Prepared, Scored, Stepped } from "./workers/protocol.js"
import { startWorker, type Worker } from "./workers/worker.js"

export interface Settings {
  readonly rounds: number
  readonly threads: number
  readonly command: string
  /** Without it, everybody. */
  readonly peers: ReadonlyArray<string> | null
}

/** Losses of the first steps may differ by this share. Different orders of summing make a hundredth of it. */
const tolerance = 1e-3
/** Steps whose losses are compared; they warm up besides. */
const comparedSteps = 3
/** More rounds that do not count. */
const warmup = 2

interface Side {
  readonly name: Contestant
  readonly worker: Worker
  readonly compileSeconds: number | null
  readonly losses: Array<number>
  readonly seconds: Array<number>
}

const memoryOf = ({ name, worker }: Side): Memory => {
  const main = peakBytes(worker.pid)
  if (!hasEngineProcess(name)) return { main, engine: null, total: main }
  const engines = childrenOf(worker.pid).map(peakBytes)
  const engine = engines.length === 0 ? null : engines.reduce<number | null>((sum, x) => add(sum, x), 0)
  return { main, engine, total: add(main, engine) }
}
const add = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b)

const resetPeaks = ({ worker }: Side): void => {
  for (const pid of [worker.pid, ...childrenOf(worker.pid)]) resetPeak(pid)
}

/** How far apart two series are at most, as a share of the second. */
export const largestDifference = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  Math.max(...b.map((x, i) => Math.abs((a[i] ?? Number.NaN) - x) / Math.abs(x)))

const agree = (name: Contestant, theirs: ReadonlyArray<number>, ours: ReadonlyArray<number>): number => {
  const difference = largestDifference(theirs, ours)
  if (difference <= tolerance) return difference
  const shown = (losses: ReadonlyArray<number>): string => losses.map((loss) => loss.toPrecision(7)).join(", ")
  throw new Error(
    `the losses of ${titles[name]} and of Millrace differ by more than ${tolerance}: ${shown(theirs)} and ${shown(ours)}`,
  )
}

const prepare = async (found: TrainCase | SampleCase, folder: string, threads: number, worker: Worker) => {
  const config =
    found.kind === "train"
      ? found.config
      : { ...found.model, batch: found.batch, promptLength: found.promptLength, length: found.length }
  const twin = found.kind === "train" ? found.twin : "sample"
  const request = {
    do: "prepare",
    case: found.name,
    kind: found.kind,
    twin,
    config,
    folder,
    threads,
    optimizer,
  } as const
  return (await worker.ask(Prepared, request)).compileSeconds
}

/** Our own texts, scored by the others: sampled texts are never the same, the probability of one text is. */
const compareScores = async (found: SampleCase, sides: ReadonlyArray<Side>): Promise<void> => {
  for (const { name, worker, losses } of sides) {
    const own = await worker.ask(Stepped, { do: "step" })
    if (name === "millrace") {
      losses.push(own.loss ?? Number.NaN)
      for (const other of sides.filter((side) => side.name === "transformers")) {
        const request = { do: "score", text: own.text ?? [], promptLength: found.promptLength } as const
        other.losses.push((await other.worker.ask(Scored, request)).loss)
      }
    }
  }
}

const compareLosses = async (sides: ReadonlyArray<Side>): Promise<void> => {
  for (let i = 0; i < comparedSteps; i++) {
    for (const { worker, losses } of sides) {
      losses.push((await worker.ask(Stepped, { do: "step" })).loss ?? Number.NaN)
    }
  }
}

/** Who has taken this long in all, in seconds, has been measured enough after a few rounds, and sits the others out. */
const patience = 60
const fewRounds = 5

const alternate = async (sides: ReadonlyArray<Side>, rounds: number): Promise<void> => {
  for (let round = 0; round < rounds; round++) {
    for (const { worker, seconds } of sides) {
      if (seconds.length >= fewRounds && seconds.reduce((sum, x) => sum + x, 0) > patience) continue
      seconds.push((await worker.ask(Stepped, { do: "step" })).seconds)
    }
  }
}

const withWorkers = async <A>(body: (start: (name: Contestant, threads: number) => Promise<Worker>) => Promise<A>) => {
  const workers: Array<Worker> = []
  try {
    return await body(async (name, threads) => {
      const { environment, ...command } = commandOf[name]()
      const variables = { ...environment, MILLRACE_BENCH_THREADS: String(threads), OMP_NUM_THREADS: String(threads) }
      const worker = await startWorker({ ...command, environment: variables })
      workers.push(worker)
      return worker
    })
  } finally {
    await Promise.all(workers.map(({ stop }) => stop()))
  }
}

/** Throws where losses do not agree, and where Millrace itself does not run. */
export const compare = async (found: TrainCase | SampleCase, settings: Settings): Promise<Compared> => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"))
  try {
    await writeStart(found, folder)
    return await withWorkers(async (start) => {
      const sides: Array<Side> = []
      const skipped: Array<{ contestant: string; reason: string }> = []
      const wanted = peerNames.filter((name) => name in found.against && (settings.peers?.includes(name) ?? true))
      for (const name of ["millrace", ...wanted] as const) {
        const worker = await start(name, settings.threads)
        if ("missing" in worker.hello) {
          if (name === "millrace") throw new Error(worker.hello.missing)
          skipped.push({ contestant: name, reason: worker.hello.missing.split("\n")[0] ?? "" })
          continue
        }
        const compileSeconds = await prepare(found, folder, settings.threads, worker)
        sides.push({ name, worker, compileSeconds, losses: [], seconds: [] })
      }
      if (found.kind === "sample") await compareScores(found, sides)
      else await compareLosses(sides)
      const ours = sides[0]!
      const differences = sides.map(({ name, losses }) =>
        name === "millrace" || losses.length === 0 ? null : agree(name, losses, ours.losses),
      )
      await alternate(sides, warmup)
      for (const { seconds } of sides) seconds.length = 0
      const before = sides.map(memoryOf)
      sides.forEach(resetPeaks)
      await alternate(sides, settings.rounds)
      const own = summarise(ours.seconds).median
      const rows = sides.map((side, i): Row => {
        const summary = summarise(side.seconds)
        const { hello } = side.worker
        const peakStepping = memoryOf(side)
        return {
          contestant: side.name,
          version: "version" in hello ? hello.version : "",
          threads: ("version" in hello ? hello.threads : undefined) ?? settings.threads,
          ...summary,
          ratio: summary.median / own,
          target: side.name === "millrace" ? null : (found.against[side.name] ?? null),
          compileSeconds: side.compileSeconds,
          losses: side.losses,
          difference: differences[i]!,
          peak: larger(before[i]!, peakStepping),
          peakStepping,
        }
      })
      const { name, title } = found
      return { kind: "compared", name, title, date: today(), command: settings.command, rows, skipped }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const larger = (a: Memory, b: Memory): Memory => {
  const most = (x: number | null, y: number | null): number | null => (x === null || y === null ? null : Math.max(x, y))
  const [main, engine] = [most(a.main, b.main), most(a.engine, b.engine)]
  return { main, engine, total: a.engine === null ? main : add(main, engine) }
}

export const today = (): string => new Date().toISOString().slice(0, 10)
