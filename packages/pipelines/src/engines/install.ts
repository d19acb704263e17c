/** Installs a native engine: all of it is made in a temporary folder, tried there, and renamed at the end. */
import { dirname, join } from "node:path"
import {
  type BadData,
  type DiskFailed,
  engineLayout,
  enginesFolder,
  filesBelow,
  type InstallFailed,
  installedForm,
  lookAt,
  makeFolder,
  missingFiles,
  nativeVersions,
  readInstalled,
  removeAll,
  renameTo,
  writeWhole,
} from "@millrace/core"
import { Effect } from "effect"
import { buildAddon, librariesOf } from "./addon.js"
import { bytesText } from "./bytesText.js"
import { sha256OfFile, wrongWheel } from "./checkWheel.js"
import { writtenFiles } from "./entry.js"
import { Host } from "./host.js"
import { npmPackage } from "./npmPackage.js"
import { Pins } from "./pins.js"
import { pipDownload } from "./pip.js"
import { keptWheel, type Plan, type PlannedWheel } from "./plan.js"
import type { Tools } from "./preflight.js"
import { tryEngine } from "./tryEngine.js"
import { addingFolder, claimEngines, removeWheels } from "./uninstall.js"
import { unpackWheel } from "./unpackWheel.js"
import { wheelRefusal } from "./wheelEntries.js"

export interface InstallOptions {
  readonly quiet: boolean
  /** Says what is done next. */
  readonly tell: (text: string) => Effect.Effect<void>
}

export type InstallError = BadData | DiskFailed | InstallFailed

/** Whether an engine is there whole. */
export const isInstalled = ({ folder }: Plan): Effect.Effect<boolean, DiskFailed> =>
  readInstalled(folder).pipe(
    Effect.flatMap((installed) =>
      installed === null
        ? Effect.succeed(false)
        : Effect.map(missingFiles(folder, installed), ({ length }) => length === 0),
    ),
    // What it says of itself is damaged: it is made again.
    Effect.catchTag("BadData", () => Effect.succeed(false)),
  )

const headers = "tensorflow/include/"
/** C headers that the addon includes, with those that they do. */
const isHeader = (path: string): boolean =>
  /^(?:tensorflow\/c\/|xla\/tsl\/c\/|tensorflow\/core\/platform\/ctstring|tsl\/platform\/ctstring).*\.h$/.test(path)

const isLibrary = (name: string): boolean =>
  /^tensorflow\/libtensorflow_(?:cc|framework)\.(?:so\.2|2\.dylib)$/.test(name) ||
  /^nvidia\/\w+\/lib\/[^/]+\.so[.\d]*$/.test(name) ||
  // What compiles for the GPU at hand, where TensorFlow has a kernel for none like it.
  /^nvidia\/cuda_nvcc\/(?:bin\/ptxas|nvvm\/libdevice\/[^/]+)$/.test(name)

/** A wheel that is there and is the pinned one. What is fetched is kept until the engine is whole. */
const wheelFile = (
  { wheel, from, path }: PlannedWheel,
  tools: Tools,
  temporary: string,
  { quiet, tell }: InstallOptions,
): Effect.Effect<string, InstallError> =>
  Effect.gen(function* () {
    // It was checked when it was looked for.
    if (from === "given") return path
    if (from === "index") {
      yield* tell(`fetching ${wheel.file}, ${bytesText(wheel.bytes)}`)
      const fetched = yield* pipDownload(wheel, { pip: tools.pip ?? ["pip"], temporary, quiet })
      const sha256 = yield* sha256OfFile(fetched)
      if (sha256 !== wheel.sha256) return yield* wrongWheel(fetched, sha256, [wheel])
      yield* makeFolder(dirname(keptWheel(wheel)))
      yield* renameTo(fetched, path)
      return path
    }
    const sha256 = yield* sha256OfFile(path)
    if (sha256 === wheel.sha256) return path
    yield* removeAll(dirname(path))
    return yield* wrongWheel(path, sha256, [wheel])
  })

/**
 * Makes the engine that a plan is for. Interrupted or failed, it leaves what was there before, and fetched wheels for the next time.
 * @fails BadData        a wheel or a package is not the pinned one
 * @fails DiskFailed     no space, no permission
 * @fails InstallFailed  the index does not have a wheel, the addon does not compile or does not run
 */
export const install = (plan: Plan, tools: Tools, options: InstallOptions): Effect.Effect<void, InstallError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { name, folder, wheels } = plan
      const { tell } = options
      const pins = yield* Pins
      yield* makeFolder(enginesFolder())
      yield* claimEngines()
      const temporary = addingFolder()
      // Of a process that was killed; nobody else is at work here.
      yield* removeAll(temporary)
      yield* Effect.acquireRelease(makeFolder(temporary), () => Effect.ignore(removeAll(temporary)))
      const engine = join(temporary, "engine")
      const nodeApi = join(temporary, "node-api")
      yield* makeFolder(join(engine, "node_modules"))

      const tfjsNode = pins.tfjsNode[name]
      yield* tell(`fetching ${tfjsNode.name}@${tfjsNode.version} and what it is built with, from npm`)
      yield* npmPackage(tfjsNode, { temporary, into: join(engine, engineLayout.tfjsNode) })
      yield* npmPackage(pins.protobuf, { temporary, into: join(engine, "node_modules", pins.protobuf.name) })
      yield* npmPackage(pins.nodeApi, { temporary, into: nodeApi })

      const files = yield* Effect.forEach(wheels, (wheel) => wheelFile(wheel, tools, temporary, options))
      yield* tell("unpacking libraries and headers")
      const [tensorflow = "", ...cuda] = files
      const libraries = yield* unpackWheel(tensorflow, engine, isLibrary)
      for (const file of cuda) yield* unpackWheel(file, engine, isLibrary)
      const wheelHeaders = join(temporary, "headers")
      const taken = yield* unpackWheel(
        tensorflow,
        wheelHeaders,
        (path) => path.startsWith(headers) && isHeader(path.slice(headers.length)),
      )
      const wanted = librariesOf((yield* Host).platform).map((file) => `${engineLayout.libraries}/${file}`)
      const there = new Set([...libraries, ...taken].map(({ path }) => path))
      const gone = [...wanted, `${headers}tensorflow/c/c_api.h`].filter((path) => !there.has(path))
      if (gone.length > 0) return yield* wheelRefusal(tensorflow, `one without ${gone.join(", ")}`)

      yield* tell("compiling the addon")
      yield* buildAddon(tools.compiler, { engine, nodeApi, headers: join(wheelHeaders, headers) }, temporary)
      for (const [path, text] of Object.entries(writtenFiles(name))) yield* writeWhole(join(engine, path), text)
      const manifest = installedForm.write({
        form: 1,
        name,
        ...nativeVersions,
        wheels: wheels.map(({ wheel: { file, sha256 } }) => ({ file, sha256 })),
        files: yield* filesBelow(engine),
      })
      yield* writeWhole(join(engine, engineLayout.manifest), manifest)
      yield* tell("trying it")
      yield* tryEngine(name, engine)

      yield* makeFolder(dirname(folder))
      if ((yield* lookAt(folder)) !== undefined) yield* renameTo(folder, join(temporary, "damaged"))
      yield* renameTo(engine, folder)
      yield* removeWheels(name)
    }),
  )
