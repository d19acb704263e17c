/** A machine on which engines are installed in milliseconds: a small wheel, small packages, programs that do as the real ones. */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Disk, type DiskOperations, nodeDisk } from "@millrace/core"
import { type EnginePins, Host, type HostOperations, Pins, type Ran, type Wheel } from "@millrace/pipelines"
import { Effect } from "effect"
import { zipSync } from "fflate"
import { integrityOf, tgz } from "../../examples/tarball.js"
import { type Ended, here } from "../here.js"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** What is in the wheel, by what becomes of it. */
export const wanted = {
  "tensorflow/libtensorflow_cc.so.2": text("cc ".repeat(100_000)),
  "tensorflow/libtensorflow_framework.so.2": text("framework"),
}
const headers = {
  "tensorflow/include/tensorflow/c/c_api.h": text("// c api"),
  "tensorflow/include/xla/tsl/c/tsl_status.h": text("// status"),
}
const unwanted = {
  "tensorflow/python/_pywrap_tensorflow_internal.so": text("python"),
  "tensorflow/include/Eigen/Core": text("eigen"),
  "tensorflow_cpu-2.21.0.dist-info/METADATA": text("Name: tensorflow-cpu"),
}

export const wheelBytes = zipSync({ ...wanted, ...headers, ...unwanted })

export const wheelOf = (bytes: Uint8Array, tag: string): Wheel => ({
  requirement: "tensorflow-cpu==2.21.0",
  file: `tensorflow_cpu-2.21.0-cp311-cp311-${tag}.whl`,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  bytes: bytes.length,
  unpackedBytes: 300_000,
})

export const otherWheel = zipSync({ "tensorflow/libtensorflow_cc.2.dylib": text("mac") })

const packages = {
  "@tensorflow/tfjs-node@4.22.0": tgz([
    { name: "package/package.json", content: "{}" },
    { name: "package/binding/tfjs_backend.cc", content: "// source" },
    { name: "package/dist/kernels/Add.js", content: "// kernel" },
  ]),
  "google-protobuf@3.21.4": tgz([{ name: "package/google-protobuf.js", content: "// protobuf" }]),
  "node-api-headers@1.9.0": tgz([{ name: "package/include/node_api.h", content: "// header" }]),
}

const pinsOf = (bytes: Uint8Array): EnginePins => {
  const pin = (name: string, version: string, files: ReadonlyArray<string>) => {
    const tarball = Object.entries(packages).find(([spec]) => spec === `${name}@${version}`)![1]
    return { name, version, integrity: integrityOf(tarball), files }
  }
  const tfjsNode = pin("@tensorflow/tfjs-node", "4.22.0", ["package.json", "binding/", "dist/kernels/"])
  const wheel = wheelOf(bytes, "manylinux_2_27_x86_64")
  return {
    wheels: {
      "tfjs-node": { "linux-x64": [wheel], "darwin-arm64": [wheelOf(otherWheel, "macosx_12_0_arm64")] },
      "tfjs-node-gpu": { "linux-x64": [wheel] },
    },
    tfjsNode: { "tfjs-node": tfjsNode, "tfjs-node-gpu": tfjsNode },
    protobuf: pin("google-protobuf", "3.21.4", ["google-protobuf.js"]),
    nodeApi: pin("node-api-headers", "1.9.0", ["include/"]),
  }
}

const ran = (code: number, err = ""): Ran => ({ code, signal: null, out: "", err })

/** A program that a test puts in the place of the machine's: undefined leaves it to that. */
export type Instead = (words: ReadonlyArray<string>, signal: AbortSignal) => Promise<Ran> | undefined

export interface FakeOptions {
  readonly host?: Partial<HostOperations>
  readonly files?: Readonly<Record<string, string>>
  readonly instead?: Instead
  readonly bytes?: Uint8Array
}

const missing = (command: string): Error => Object.assign(new Error(`spawn ${command} ENOENT`), { code: "ENOENT" })

export interface Fault {
  /** Of the operations of the disk and the programs that are run, 1 the first. */
  readonly at: number
  /** From then on nothing works, or that alone has no space. */
  readonly kind: "dies" | "is full"
}

export interface FakeMachine {
  /** What was run, `pip download`, without looking for versions. */
  readonly programs: Array<string>
  readonly count: () => number
  readonly arm: (fault: Fault | undefined) => void
  /** Carries out a command line on it. */
  readonly millrace: (...args: ReadonlyArray<string>) => Promise<Ended>
  readonly provide: <A>(command: Effect.Effect<A>) => Effect.Effect<A>
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`${code}: of the test`), { code })

export const fakeMachine = ({ host = {}, files = {}, instead, bytes = wheelBytes }: FakeOptions = {}): FakeMachine => {
  const programs: Array<string> = []
  let [count, fault, dead]: [number, Fault | undefined, boolean] = [0, undefined, false]
  /** Whether the operation that comes now has no space. Throws where nothing works any more. */
  const operation = (): boolean => {
    if (dead) throw failure("EIO")
    if (++count !== fault?.at) return false
    if (fault.kind === "is full") return true
    dead = true
    throw failure("EIO")
  }
  const pins = pinsOf(bytes)
  const served = (): Record<string, (args: ReadonlyArray<string>) => void> => ({
    pip: (args) => writeFileSync(join(after(args, "--dest"), pins.wheels["tfjs-node"]["linux-x64"]![0]!.file), bytes),
    npm: (args) => {
      const tarball = Object.entries(packages).find(([spec]) => spec === args[1])
      writeFileSync(join(after(args, "--pack-destination"), "it.tgz"), tarball![1])
    },
    "c++": (args) => {
      for (const source of args.filter((arg) => /libtensorflow|\.cc$/.test(arg))) {
        if (!existsSync(source) && !source.endsWith("tfjs_binding.cc")) throw new Error(`no ${source}`)
      }
      writeFileSync(after(args, "-o"), "addon")
    },
    [process.execPath]: () => undefined,
  })
  const run: HostOperations["run"] = async (command, args, { signal }) => {
    if (args.at(-1) !== "--version") programs.push(command === process.execPath ? "node" : `${command} ${args[0]}`)
    const own = instead?.([command, ...args], signal)
    if (own !== undefined) return own
    const program = served()[command]
    if (program === undefined) throw missing(command)
    if (args.at(-1) === "--version") return ran(0)
    if (operation()) return ran(1, "ERROR: [Errno 28] No space left on device")
    program(args)
    return ran(0)
  }
  const counted =
    <Args extends ReadonlyArray<unknown>, A>(work: (...args: Args) => Promise<A>) =>
    async (...args: Args): Promise<A> => {
      if (operation()) throw failure("ENOSPC")
      return work(...args)
    }
  const disk: DiskOperations = {
    read: counted(nodeDisk.read),
    // What syncs takes most of the time of a real disk; here nothing pulls the plug.
    write: counted((path, bytes) => writeFile(path, bytes)),
    writeFrom: counted((path, pieces) => writeFile(path, pieces)),
    append: counted(nodeDisk.append),
    rename: counted(nodeDisk.rename),
    remove: counted(nodeDisk.remove),
    makeFolder: counted(async (path) => void (await mkdir(path, { recursive: true }))),
    claimFolder: counted(nodeDisk.claimFolder),
    list: counted(nodeDisk.list),
    look: counted(nodeDisk.look),
    syncFolder: counted(async () => undefined),
    touch: counted(nodeDisk.touch),
  }
  const provide = <A>(command: Effect.Effect<A>): Effect.Effect<A> =>
    command.pipe(
      Effect.provideService(Pins, pins),
      Effect.provideService(Disk, disk),
      Effect.provideService(Host, {
        platform: "linux",
        arch: "x64",
        glibc: "2.36",
        run,
        freeBytes: async () => 10e9,
        text: async (path) => ({ "/proc/cpuinfo": "flags : sse avx avx2", ...files })[path],
        ...host,
      }),
    )
  return {
    programs,
    count: () => count,
    arm: (next) => {
      ;[count, fault, dead] = [0, next, false]
    },
    millrace: (...args) => here(args, provide),
    provide,
  }
}

const after = (args: ReadonlyArray<string>, option: string): string => args[args.indexOf(option) + 1]!

/** What a process that was killed leaves: its claim on the folder is that of a process which is no more. */
export const bury = (engines: string): void => {
  if (!existsSync(engines)) return
  for (const name of readdirSync(engines).filter((one) => one.startsWith("running-"))) {
    renameSync(join(engines, name), join(engines, "running-99999999-1-0"))
  }
}

/** Every file below a folder, sorted. */
export const filesIn = (folder: string): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort()
    : []

export const putWheel = (folder: string, bytes: Uint8Array, name = "given.whl"): string => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}
