/** Where a native engine that `millrace engines add` installed lies, and what is where in its folder. */
import { join } from "node:path"
import { cacheFolder } from "../../cacheFolder.js"
import type { EngineName, NativeEngineName } from "../../engine.js"

/** Of `@tensorflow/tfjs-node`, and of the library that its addon is built against. */
export const nativeVersions = { tfjs: "4.22.0", tensorflow: "2.21.0" } as const

/** The engine that a package is, and back. */
export const engineOfPackage = {
  "tfjs-node": "tfjs:node",
  "tfjs-node-gpu": "tfjs:node-gpu",
} as const satisfies Readonly<Record<NativeEngineName, EngineName>>

/** All that is installed, and wheels that wait to be. */
export const enginesFolder = (): string => join(cacheFolder(), "engines")

/** `linux-x64`. */
export const machineKey = (platform: string = process.platform, arch: string = process.arch): string =>
  `${platform}-${arch}`

/** The folder of one engine for one kind of machine: its name says all that what is in it depends on. */
export const engineFolder = (name: NativeEngineName, machine = machineKey()): string =>
  join(enginesFolder(), name, `${nativeVersions.tfjs}-tensorflow-${nativeVersions.tensorflow}-${machine}`)

/** Paths in that folder. TensorFlow's libraries look for CUDA's in `../nvidia`, as they lie in Python's `site-packages`. */
export const engineLayout = {
  /** A module that registers the backend `tensorflow` with the tfjs that it is handed. */
  entry: "index.cjs",
  addon: "tfjs_binding.node",
  /** Written last: a folder without it is not an engine. */
  manifest: "installed.json",
  tfjsNode: "tfjs-node",
  libraries: "tensorflow",
} as const

/** What the tfjs is known by that an installed engine finds when it is loaded: the one of the program that loads it. */
export const handedTfjs = "millrace/tfjs"
