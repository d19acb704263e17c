/**
 * The benchmark.
 *
 *   npm run bench                                  every case
 *   npm run bench -- --case gpt --rounds 5         one case; several with several --case
 *   npm run bench -- --case gpt --peer torch       against some alone
 *   npm run bench -- --list                        the cases
 *   npm run bench -- --readme                      the last results into README.md
 *
 * Sides take turns (A B A B …), each in a process of its own that sleeps while another works. Figures are medians.
 * Python is found by MILLRACE_BENCH_PYTHON, else in bench/peers/.venv, else as python3; who is not installed is skipped.
 */
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import type { Case } from "./case.js"
import { cases } from "./cases.js"
import { checkOne } from "./check.js"
import { compare, type Settings, today } from "./compare.js"
import { peerNames } from "./peers.js"
import { writeReadme } from "./readme.js"
import { showResult } from "./report.js"
import { keepResults, machine, type Result } from "./results.js"

const options = {
  case: { type: "string", multiple: true },
  peer: { type: "string", multiple: true },
  rounds: { type: "string", default: "20" },
  threads: { type: "string", default: "2" },
  list: { type: "boolean", default: false },
  readme: { type: "boolean", default: false },
} as const

/** Processes that want to run, on the average of a minute, of a machine with nothing else to do. */
const quiet = 0.5

const count = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} takes a whole number above 0, not ${text}`)
}

/** Throws for a name that is not in the table. */
const among = (kind: string, names: ReadonlyArray<string>, given: ReadonlyArray<string>): void => {
  const unknown = given.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new Error(`no ${kind} ${unknown.join(", ")}; there are ${names.join(", ")}`)
}

const measure = async (found: Case, settings: Settings): Promise<Result> => {
  try {
    return found.kind === "check" ? await checkOne(found, settings) : await compare(found, settings)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const { name, title } = found
    return { kind: "failed", name, title, date: today(), command: settings.command, reason }
  }
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options })
  const names = cases.map(({ name }) => name)
  if (values.list) {
    for (const { name, title } of cases) console.log(`${name.padEnd(12)} ${title}`)
    return
  }
  if (values.readme) return writeReadme()
  among("case", names, values.case ?? [])
  among("peer", peerNames, values.peer ?? [])
  const given = process.argv.slice(2).join(" ")
  const settings: Settings = {
    rounds: count("rounds", values.rounds),
    threads: count("threads", values.threads),
    command: given === "" ? "npm run bench" : `npm run bench -- ${given}`,
    peers: values.peer ?? null,
  }
  console.log(`${machine()}, ${settings.threads} threads each`)
  const [load = 0] = loadavg()
  if (load > quiet)
    console.log(`other programs are running (load ${load.toFixed(1)}): the ratios will not be worth much`)
  console.log("")
  for (const found of cases.filter(({ name }) => values.case?.includes(name) ?? true)) {
    const result = await measure(found, settings)
    console.log(`${showResult(result)}\n`)
    keepResults(settings.threads, [result], names)
    if (result.kind === "failed") process.exitCode = 1
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
