/** One property of Millrace: its steps repeat, its memory does not grow, its main thread stays free. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { CheckCase } from "./case.js"
import { type Settings, today } from "./compare.js"
import { childrenOf, residentBytes } from "./memory.js"
import { commandOf } from "./peers.js"
import type { Checked } from "./results.js"
import { writeStart } from "./start.js"
import { Done, Late, optimizer, Prepared, Products, Repeated } from "./workers/protocol.js"
import { startWorker, type Worker } from "./workers/worker.js"

type Finding = Pick<Checked, "holds" | "found" | "wanted">

/** Bytes that a worker and its engine hold together; null where the system does not say. */
const resident = ({ pid }: Worker): number | null =>
  [pid, ...childrenOf(pid)]
    .map(residentBytes)
    .reduce<number | null>((sum, bytes) => (sum === null || bytes === null ? null : sum + bytes), 0)

const megabyte = 1e6
/** After a lateness of 50 ms a progress line stutters and a signal waits. */
const tolerableMilliseconds = 50

const find = async (worker: Worker, { check }: CheckCase): Promise<Finding> => {
  switch (check.kind) {
    case "repeat": {
      const { digests } = await worker.ask(Repeated, { do: "repeat", times: check.times })
      const different = new Set(digests).size
      const found = `${different} digest${different === 1 ? "" : "s"} in ${digests.length} repeats`
      return { holds: different === 1 && digests.length === check.times, found, wanted: "1 digest" }
    }
    case "grow": {
      await worker.ask(Done, { do: "steps", steps: check.warmup })
      const before = resident(worker)
      await worker.ask(Done, { do: "steps", steps: check.steps })
      const after = resident(worker)
      const wanted = `less than ${check.megabytes} MB`
      if (before === null || after === null) return { holds: false, found: "not measured on this system", wanted }
      const grown = (after - before) / megabyte
      return { holds: grown < check.megabytes, found: `${grown.toFixed(1)} MB`, wanted }
    }
    case "products": {
      const measured = await worker.ask(Products, { do: "products", runs: check.runs })
      const { share, gigaflopsPerSecond, peak } = measured
      const reached = peak === null ? "" : `, ${((100 * gigaflopsPerSecond) / peak).toFixed(0)} % of ${peak.toFixed(0)}`
      const found = `${(100 * share).toFixed(1)} %, at ${gigaflopsPerSecond.toFixed(0)} GFLOP/s${reached}`
      return { holds: share >= check.share, found, wanted: `at least ${100 * check.share} %` }
    }
    case "lateness": {
      const { milliseconds } = await worker.ask(Late, { do: "lateness", steps: check.steps })
      const wanted = `less than ${tolerableMilliseconds} ms`
      return { holds: milliseconds < tolerableMilliseconds, found: `${milliseconds.toFixed(1)} ms`, wanted }
    }
  }
}

export const checkOne = async (found: CheckCase, { threads, command }: Settings): Promise<Checked> => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"))
  const worker = await startWorker({
    ...commandOf.millrace(),
    environment: { MILLRACE_BENCH_THREADS: String(threads) },
  })
  try {
    if ("missing" in worker.hello) throw new Error(worker.hello.missing)
    await writeStart(found, folder)
    const { name, title } = found
    const request = {
      do: "prepare",
      case: name,
      kind: "check",
      twin: "",
      config: {},
      folder,
      threads,
      optimizer,
    } as const
    await worker.ask(Prepared, request)
    const { version } = worker.hello
    const finding = await find(worker, found)
    return { kind: "checked", name, title, date: today(), command, version, ...finding }
  } finally {
    await worker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
