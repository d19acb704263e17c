/** Where a run took place: for the reader alone. Nothing of it reaches a digest, because clocks and machines differ. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { arch, cpus, platform, release, totalmem } from "node:os"
import { dirname, join } from "node:path"
import { DateTime, Effect } from "effect"
import type { Engine } from "../engine.js"
import { instructionSet } from "./instructions.js"

export interface Environment {
  readonly engine: string
  /** Threads of one of the engine's kernels, where it tells. */
  readonly threads?: number
  readonly node: string
  readonly platform: string
  readonly cpu: { readonly model: string; readonly cores: number; readonly instructions: string }
  readonly memory: string
  /** The wall clock when the run began: a label. */
  readonly startedAt: string
  readonly packages: Readonly<Record<string, string>>
}

const require = createRequire(import.meta.url)

const versionIn = (folder: string): string | undefined => {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version?: string }
    return version
  } catch {
    return undefined
  }
}

/** The version that is installed, found where this package's own imports would find it. */
const installed = (name: string): string | undefined => {
  for (const folder of require.resolve.paths(name) ?? []) {
    const version = versionIn(join(folder, name))
    if (version !== undefined) return version
  }
  return undefined
}

const versions = (): Readonly<Record<string, string>> => {
  const root = join(dirname(require.resolve("@millrace/core/package.json")))
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly version: string
    readonly dependencies?: Readonly<Record<string, string>>
  }
  const names = Object.keys(own.dependencies ?? {}).sort()
  return Object.fromEntries([
    ["@millrace/core", own.version],
    ...names.flatMap((name) => {
      const version = installed(name)
      return version === undefined ? [] : [[name, version]]
    }),
  ])
}

/** The present machine, with an engine by its library and version. */
export const environmentOf = ({
  version,
  threads,
}: Pick<Engine["Service"], "version" | "threads">): Effect.Effect<Environment> =>
  Effect.map(DateTime.now, (now) => ({
    engine: version,
    ...(threads === undefined ? {} : { threads }),
    node: process.versions.node,
    platform: `${platform()} ${arch()} ${release()}`,
    cpu: { model: cpus()[0]?.model.trim() ?? "unknown", cores: cpus().length, instructions: instructionSet() },
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    startedAt: DateTime.formatIso(now),
    packages: versions(),
  }))
