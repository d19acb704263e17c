/** Where TensorFlow for tfjs is: the package that the project installed, or what `millrace engines add` put in the cache. */
import { existsSync, readdirSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { NativeEngineName } from "../../engine.js"
import { EngineMissing } from "../../errors.js"
import { missingFiles, readInstalled } from "./installed.js"
import { engineFolder, engineLayout, engineOfPackage, handedTfjs } from "./nativeEngine.js"

export interface FoundTensorFlow {
  /** A module that registers the backend `tensorflow` when it is required. */
  readonly path: string
  /** For reports of runs: `tfjs-node 4.22.0`, with TensorFlow's version where that is known. */
  readonly version: string
}

const resolveFrom = (place: string, module: string): string | null => {
  try {
    return createRequire(place).resolve(module)
  } catch {
    return null
  }
}

/** Installed without its scripts, which are what fetched the addon, the package is half there. */
const hasAddon = (entry: string): boolean => {
  const lib = join(dirname(entry), "..", "lib")
  return existsSync(lib) && readdirSync(lib).some((abi) => existsSync(join(lib, abi, engineLayout.addon)))
}

/** The tfjs of this program, for an engine that has none of its own: a second copy would undo what this one repairs. */
const handTfjs = (): void => {
  const tfjs: unknown = createRequire(import.meta.url)("@tensorflow/tfjs-core")
  Object.defineProperty(globalThis, Symbol.for(handedTfjs), { value: tfjs, configurable: true })
}

/** Also of one that is damaged: it is made again. */
const add = (name: NativeEngineName): string => `run \`millrace engines add ${name}\``

const refusal = (name: NativeEngineName, received: string, fix: string, cause?: unknown): EngineMissing =>
  new EngineMissing({
    where: engineOfPackage[name],
    expected: `@tensorflow/${name} to load`,
    received,
    fix,
    ...(cause === undefined ? {} : { cause }),
  })

/**
 * What was installed in a folder, ready to be required; null where nothing is.
 * @fails EngineMissing  it is damaged
 */
export const installedTensorFlow = (
  name: NativeEngineName,
  folder = engineFolder(name),
): Effect.Effect<FoundTensorFlow | null, EngineMissing> =>
  Effect.gen(function* () {
    const installed = yield* readInstalled(folder)
    if (installed === null) return null
    const gone = yield* missingFiles(folder, installed)
    if (gone.length > 0) return yield* refusal(name, `${folder} lacks ${gone.slice(0, 3).join(", ")}`, add(name))
    handTfjs()
    return {
      path: join(folder, engineLayout.entry),
      version: `${name} ${installed.tfjs} with TensorFlow ${installed.tensorflow}`,
    }
  }).pipe(
    Effect.mapError((error) =>
      error instanceof EngineMissing ? error : refusal(name, `${error.where}: ${error.received}`, add(name), error),
    ),
  )

/** @fails EngineMissing  it is nowhere, or without its addon, or damaged */
export const findTensorFlow = (name: NativeEngineName): Effect.Effect<FoundTensorFlow, EngineMissing> =>
  Effect.gen(function* () {
    const module = `@tensorflow/${name}`
    const places = [`${process.cwd()}${sep}`, fileURLToPath(import.meta.url)]
    const packages = places.map((place) => resolveFrom(place, module)).filter((path) => path !== null)
    const own = packages.find(hasAddon)
    if (own !== undefined) return { path: own, version: `${name} ${versionOf(own)}` }
    const installed = yield* installedTensorFlow(name)
    if (installed !== null) return installed
    const received =
      packages.length === 0 ? `${module} is not installed` : `${module} is installed without its native addon`
    return yield* refusal(name, received, add(name))
  })

const versionOf = (entry: string): string => {
  const { version }: { readonly version?: unknown } = createRequire(entry)("../package.json")
  return typeof version === "string" ? version : "of no version"
}
