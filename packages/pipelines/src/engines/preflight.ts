/** What an engine needs of the machine, looked at before anything is fetched: all that is missing comes in one error. */
import { type DiskFailed, diskFailed, EngineMissing, engineOfPackage } from "@millrace/core"
import { Effect } from "effect"
import { bytesText } from "./bytesText.js"
import { findCompiler } from "./compiler.js"
import { Host, type HostOperations } from "./host.js"
import { noSpace } from "./noSpace.js"
import { type EnginePins, Pins } from "./pins.js"
import { findPip } from "./pip.js"
import type { Plan } from "./plan.js"
import { runProgram, type Words } from "./program.js"
import { waited } from "./waited.js"

/** The programs that an installation runs. */
export interface Tools {
  readonly compiler: Words
  /** Null where nothing is to be fetched from the index. */
  readonly pip: Words | null
}

interface Lack {
  readonly expected: string
  readonly received: string
  readonly fix: string
}

/** Of glibc that the wheels are for, and of NVIDIA's driver that CUDA 12 is. */
const [leastGlibc, leastDriver] = ["2.27", "525.60.13"]

const atLeast = (version: string, least: string): boolean => {
  const [ours, theirs] = [version, least].map((text) => text.split(".").map(Number))
  for (const [i, part] of theirs!.entries()) {
    const own = ours![i] ?? 0
    if (own !== part) return own > part
  }
  return true
}

/** What of the system cannot be changed. */
const systemLacks = (host: HostOperations, pins: EnginePins, { name, machine, wheels }: Plan): ReadonlyArray<Lack> => {
  const here = host.platform === "linux" && host.glibc === undefined ? `${machine} with musl` : machine
  if (wheels.length === 0) {
    return [
      {
        expected: `one of ${Object.keys(pins.wheels[name]).join(", ")}`,
        received: machine,
        fix:
          host.platform === "win32"
            ? "use it in WSL 2, or another engine: `millrace engines` tells which are here"
            : "use another engine: `millrace engines` tells which are here",
      },
    ]
  }
  if (host.platform !== "linux" || (host.glibc !== undefined && atLeast(host.glibc, leastGlibc))) return []
  return [
    {
      expected: `Linux with glibc ${leastGlibc} or later, which TensorFlow's libraries are built for`,
      received: host.glibc === undefined ? here : `${machine} with glibc ${host.glibc}`,
      fix: "use a system that has it (Debian 11, Ubuntu 20.04, Fedora 28 or later), or another engine",
    },
  ]
}

/** TensorFlow's libraries for x64 end the process where the processor has no AVX. */
const processorLacks = (host: HostOperations, cpu: string | undefined): ReadonlyArray<Lack> =>
  host.platform !== "linux" || host.arch !== "x64" || cpu === undefined || /\bavx\b/.test(cpu)
    ? []
    : [
        {
          expected: "a processor with AVX",
          received: "one without",
          fix: "use the engine onnx, or tfjs:wasm",
        },
      ]

/** NVIDIA's driver, as its kernel module says; under WSL it is the one of Windows, which says nothing here. */
const driverLacks = (module: string | undefined, wsl: boolean): ReadonlyArray<Lack> => {
  const version = module === undefined ? undefined : /\s(\d+\.\d+(?:\.\d+)?)\s/.exec(module)?.[1]
  if (wsl || (version !== undefined && atLeast(version, leastDriver))) return []
  return [
    {
      expected: `NVIDIA's driver ${leastDriver} or later, which CUDA 12 needs`,
      received: version ?? "no driver of NVIDIA",
      fix: "install it for your GPU, or `millrace engines add tfjs-node` for the processor",
    },
  ]
}

const programLacks = (compiler: Words | null, npm: boolean, pip: Words | null, pipNeeded: boolean) => [
  ...(compiler === null
    ? [
        {
          expected: "a C++ compiler",
          received: "none: neither CXX nor c++, g++ or clang++ runs",
          fix: "install one (Debian, Ubuntu: apt-get install g++; macOS: xcode-select --install)",
        },
      ]
    : []),
  ...(npm ? [] : [{ expected: "npm", received: "it does not run", fix: "install npm, which comes with Node.js" }]),
  ...(pip === null && pipNeeded
    ? [
        {
          expected: "pip, which fetches TensorFlow's wheel",
          received: "none: neither pip, pip3 nor python3 -m pip runs",
          fix: "install Python's pip, or give the wheel with --wheel",
        },
      ]
    : []),
]

/**
 * @fails EngineMissing  the machine lacks something; `received` has a line for each
 * @fails DiskFailed     too little space
 */
export const preflight = (plan: Plan): Effect.Effect<Tools, EngineMissing | DiskFailed> =>
  Effect.gen(function* () {
    const host = yield* Host
    const read = (path: string) => Effect.promise(() => host.text(path))
    const refuse = (lacks: ReadonlyArray<Lack>) =>
      new EngineMissing({
        where: engineOfPackage[plan.name],
        expected: lacks.map(({ expected }) => expected).join("\n"),
        received: lacks.map(({ received }) => received).join("\n"),
        fix: lacks.map(({ fix }) => fix).join("\n"),
      })
    const system = systemLacks(host, yield* Pins, plan)
    if (system.length > 0) return yield* refuse(system)

    const gpu = plan.name === "tfjs-node-gpu"
    const wsl = gpu && /microsoft/i.test((yield* read("/proc/sys/kernel/osrelease")) ?? "")
    const pipNeeded = plan.wheels.some(({ from }) => from === "index")
    const [compiler, npm, pip] = yield* Effect.all(
      [findCompiler, runProgram(["npm", "--version"]), pipNeeded ? findPip : Effect.succeed(null)],
      { concurrency: 3 },
    )
    const lacks = [
      ...processorLacks(host, yield* read("/proc/cpuinfo")),
      ...(gpu ? driverLacks(yield* read("/proc/driver/nvidia/version"), wsl) : []),
      ...programLacks(compiler, npm?.code === 0, pip, pipNeeded),
    ]
    if (compiler === null || lacks.length > 0) return yield* refuse(lacks)

    const free = yield* Effect.mapError(
      waited(() => host.freeBytes(plan.folder)),
      (error) => diskFailed(plan.folder, "a disk that tells how much is free", error),
    )
    if (free < plan.diskBytes) {
      return yield* noSpace(plan.folder, `${bytesText(free)} are free`, `${bytesText(plan.diskBytes)} of space`)
    }
    return { compiler, pip }
  })
