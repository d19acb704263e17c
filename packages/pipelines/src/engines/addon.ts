/** The addon, built from tfjs-node's own sources against TensorFlow's C headers and Node's: no node-gyp, nothing fetched. */
import { join } from "node:path"
import { type DiskFailed, engineLayout, InstallFailed } from "@millrace/core"
import { Effect } from "effect"
import { Host } from "./host.js"
import { noSpace } from "./noSpace.js"
import { complaint, lacksSpace, runProgram, type Words } from "./program.js"

/** Folders that the addon is built from, and the one that it goes to, with the libraries in it. */
export interface AddonParts {
  readonly engine: string
  readonly nodeApi: string
  readonly headers: string
}

/** The libraries that a wheel has for a system, as they are to be linked. */
export const librariesOf = (platform: string): ReadonlyArray<string> =>
  ["cc", "framework"].map((part) =>
    platform === "darwin" ? `libtensorflow_${part}.2.dylib` : `libtensorflow_${part}.so.2`,
  )

/** What the compiler is told. The addon finds the libraries beside it, wherever its folder is moved. */
export const compilerOptions = (platform: string, { engine, nodeApi, headers }: AddonParts): ReadonlyArray<string> => {
  const sources = join(engine, engineLayout.tfjsNode, "binding")
  const mac = platform === "darwin"
  return [
    // As tfjs-node's binding.gyp has it; Node's ABI 8 is that of every Node since 12.22.
    ...["-std=c++17", "-O2", "-fPIC", "-DNAPI_VERSION=8", "-w"],
    ...(mac ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"]),
    ...["-I", headers, "-I", join(nodeApi, "include")],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(sources, file)),
    ...librariesOf(platform).map((file) => join(engine, engineLayout.libraries, file)),
    `-Wl,-rpath,${mac ? "@loader_path" : "$ORIGIN"}/${engineLayout.libraries}`,
    ...["-o", join(engine, engineLayout.addon)],
  ]
}

/**
 * Builds the addon.
 * @fails InstallFailed  the compiler cannot
 * @fails DiskFailed     no space
 */
export const buildAddon = (
  compiler: Words,
  parts: AddonParts,
  temporary: string,
): Effect.Effect<void, InstallFailed | DiskFailed> =>
  Effect.gen(function* () {
    const { platform } = yield* Host
    const ran = yield* runProgram([...compiler, ...compilerOptions(platform, parts)], { env: { TMPDIR: temporary } })
    if (ran?.code === 0) return
    if (lacksSpace(ran)) return yield* noSpace(parts.engine, complaint(ran))
    return yield* new InstallFailed({
      where: [...compiler, "tfjs_backend.cc"].join(" "),
      expected: "the addon of tfjs-node to compile",
      received: complaint(ran),
      fix: "install a compiler that knows C++17 (g++ 8, clang++ 7 or later) with its standard library, or name one in CXX",
    })
  })
