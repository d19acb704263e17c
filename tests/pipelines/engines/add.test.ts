/** `millrace engines add` and `remove` on a machine that is not there: what they do, and what stops them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { engineFolder, findTensorFlow, installedTensorFlow } from "@millrace/core"
import type { Ran } from "@millrace/pipelines"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { freshCache } from "../../examples/tarball.js"
import { here } from "../here.js"
import { fakeMachine, filesIn, otherWheel, putWheel, wanted, wheelBytes } from "./fakeMachine.js"

const { cache } = freshCache()
const folder = () => engineFolder("tfjs-node", "linux-x64")
const fails = async (err: string): Promise<Ran> => ({ code: 1, signal: null, out: "", err })

describe("an engine", () => {
  test("is installed from what is pinned, with the libraries of the wheel and none of its rest", async () => {
    const machine = fakeMachine()
    const { code, out, err } = await machine.millrace("engines", "add", "tfjs-node")
    expect([code, err.split("\n").filter((line) => /error|fail/i.test(line))]).toEqual([0, []])
    expect(out).toContain(`installed tfjs-node in ${folder()}: use it with --engine tfjs:node`)
    expect(filesIn(folder())).toEqual(
      [
        "index.cjs",
        "installed.json",
        "node_modules/@tensorflow/tfjs-core/index.js",
        "node_modules/@tensorflow/tfjs-core/package.json",
        "node_modules/@tensorflow/tfjs/index.js",
        "node_modules/@tensorflow/tfjs/package.json",
        "node_modules/google-protobuf/google-protobuf.js",
        ...Object.keys(wanted),
        "tfjs-node/binding/tfjs_backend.cc",
        "tfjs-node/dist/kernels/Add.js",
        "tfjs-node/package.json",
        "tfjs_binding.node",
      ].sort(),
    )
    for (const [path, bytes] of Object.entries(wanted)) {
      expect(readFileSync(join(folder(), path)).equals(bytes)).toBe(true)
    }
    expect(filesIn(join(cache(), "engines")).filter((path) => !path.startsWith("tfjs-node/"))).toEqual([])
    expect(machine.programs).toEqual(["npm pack", "npm pack", "npm pack", "pip download", "c++ -std=c++17", "node"])
  })

  test("that is there is left as it is, and nothing is run", async () => {
    const machine = fakeMachine()
    await machine.millrace("engines", "add", "tfjs-node")
    machine.programs.length = 0
    const { code, out } = await machine.millrace("engines", "add", "tfjs-node")
    expect([code, out]).toEqual([0, `tfjs-node is installed, in ${folder()}: nothing to do\n`])
    expect(machine.programs).toEqual([])
  })

  test("that has lost a file is made again, and until then says so", async () => {
    const machine = fakeMachine()
    await machine.millrace("engines", "add", "tfjs-node")
    const find = Effect.runPromise(Effect.result(installedTensorFlow("tfjs-node", folder())))
    expect((await find)._tag).toBe("Success")
    writeFileSync(join(folder(), "tensorflow/libtensorflow_cc.so.2"), "half")
    const error = await Effect.runPromise(Effect.flip(installedTensorFlow("tfjs-node", folder())))
    expect(error.received).toBe(`${folder()} lacks tensorflow/libtensorflow_cc.so.2`)
    expect(error.fix).toBe("run `millrace engines add tfjs-node`")
    expect((await machine.millrace("engines", "add", "tfjs-node")).code).toBe(0)
    expect(readFileSync(join(folder(), "tensorflow/libtensorflow_cc.so.2")).length).toBe(300_000)
    writeFileSync(join(folder(), "installed.json"), "{}")
    expect((await machine.millrace("engines", "add", "tfjs-node")).out).toContain("installed tfjs-node in")
  })

  test("is removed with all that it brought", async () => {
    const machine = fakeMachine()
    await machine.millrace("engines", "add", "tfjs-node")
    const { code, out } = await machine.millrace("engines", "remove", "tfjs-node")
    expect([code, out]).toEqual([0, "removed tfjs-node, 1 MB\n"])
    expect(existsSync(join(cache(), "engines"))).toBe(false)
    expect((await machine.millrace("engines", "remove", "tfjs-node")).out).toContain("nothing to remove")
  })

  test("leaves another engine alone when it is removed", async () => {
    const machine = fakeMachine({ files: { "/proc/driver/nvidia/version": driver("570.86.10") } })
    await machine.millrace("engines", "add", "tfjs-node")
    const before = filesIn(folder())
    expect((await machine.millrace("engines", "add", "tfjs-node-gpu")).code).toBe(0)
    await machine.millrace("engines", "remove", "tfjs-node-gpu")
    expect(filesIn(folder())).toEqual(before)
  })

  test("takes what is compiled against from where the wheel has it, and finds its libraries beside it", async () => {
    const seen: Array<ReadonlyArray<string>> = []
    const machine = fakeMachine({
      instead: (words) => {
        if (words[0] === "c++") seen.push(words)
        return undefined
      },
    })
    await machine.millrace("engines", "add", "tfjs-node")
    const options = seen.at(-1)!
    expect(options).toContain("-Wl,-rpath,$ORIGIN/tensorflow")
    expect(options.filter((word) => word.endsWith("tensorflow/include/"))).toHaveLength(1)
    expect(options.at(options.indexOf("-o") + 1)).toMatch(/tfjs_binding\.node$/)
  })

  test("is told of before it is fetched, and --dry-run fetches nothing", async () => {
    const machine = fakeMachine()
    const { code, out } = await machine.millrace("engines", "add", "tfjs-node", "--dry-run")
    expect(code).toBe(0)
    expect(out).toContain("1 MB  tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl  fetched by pip")
    expect(out).toContain(
      "@tensorflow/tfjs-node@4.22.0, google-protobuf@3.21.4, node-api-headers@1.9.0  fetched by npm",
    )
    expect(out).toContain(`install into\n${folder()}\n`)
    expect(machine.programs).toEqual([])
    expect(existsSync(join(cache(), "engines"))).toBe(false)
  })

  test("needs no pip where its wheel is given", async () => {
    const machine = fakeMachine({ instead: (words) => (/^p(?:ip|ython)/.test(words[0]!) ? refused() : undefined) })
    const wheel = putWheel(cache(), wheelBytes)
    expect((await machine.millrace("engines", "add", "tfjs-node", "--wheel", wheel)).code).toBe(0)
    expect(readFileSync(wheel).equals(wheelBytes)).toBe(true)
  })

  test("of the wrong name, or with a wheel that is nowhere, is a wrong command", async () => {
    expect((await here(["engines", "add", "tfjs"])).code).toBe(2)
    const { code, err } = await fakeMachine().millrace("engines", "add", "tfjs-node", "--wheel", "/nowhere.whl")
    expect([code, err]).toEqual([2, expect.stringContaining("/nowhere.whl, where nothing is")])
  })
})

const refused = (): Promise<Ran> => Promise.reject(new Error("spawn ENOENT"))
const driver = (version: string): string =>
  `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  Mon Jan 1\nGCC\n`

describe("before anything is fetched, it is said", () => {
  const without = (name: RegExp) => (words: ReadonlyArray<string>) => (name.test(words[0]!) ? refused() : undefined)
  test.each([
    ["that the C library is musl", { host: { glibc: undefined } }, "linux-x64 with musl"],
    ["that glibc is too old", { host: { glibc: "2.17" } }, "linux-x64 with glibc 2.17"],
    ["that it is Windows", { host: { platform: "win32", glibc: undefined } }, "WSL 2"],
    ["that it is a Mac of another processor", { host: { platform: "darwin" } }, "received  darwin-x64"],
    ["that there is no compiler", { instead: without(/^(?:c\+\+|g\+\+|clang\+\+)$/) }, "apt-get install g++"],
    ["that there is no pip", { instead: without(/^p(?:ip3?|ython3?)$/) }, "give the wheel with --wheel"],
    ["that there is no npm", { instead: without(/^npm$/) }, "install npm"],
    ["that the processor has no AVX", { files: { "/proc/cpuinfo": "flags : sse sse2" } }, "a processor with AVX"],
    ["that the disk is too full", { host: { freeBytes: async () => 1e6 } }, "set MILLRACE_CACHE"],
  ])("%s", async (_, options, said) => {
    const machine = fakeMachine(options)
    const { code, err } = await machine.millrace("engines", "add", "tfjs-node")
    expect(code).toBe(1)
    expect(err).toContain(said)
    expect(err).toMatch(/^(?:EngineMissing|DiskFailed) in /)
    expect(machine.programs).toEqual([])
    expect(filesIn(cache())).toEqual([])
  })

  test.each([
    ["that there is no driver for the GPU", {}, "no driver of NVIDIA"],
    ["that the driver is too old", { "/proc/driver/nvidia/version": driver("470.57.02") }, "received  470.57.02"],
  ])("%s", async (_, files, said) => {
    const { code, err } = await fakeMachine({ files }).millrace("engines", "add", "tfjs-node-gpu", "--dry-run")
    expect([code, err]).toEqual([1, expect.stringContaining(said)])
  })

  test("all that is missing, at once", async () => {
    const machine = fakeMachine({ instead: without(/^(?:c\+\+|g\+\+|clang\+\+|npm|p\w+)$/) })
    const { err } = await machine.millrace("engines", "add", "tfjs-node")
    for (const each of ["a C++ compiler", "npm", "pip, which"]) expect(err).toContain(each)
  })
})

describe("a typed error, and the machine as before:", () => {
  const flipped = Uint8Array.from(wheelBytes)
  flipped[flipped.length >> 1]! ^= 1

  test.each([
    ["a wheel with one flipped byte", flipped, "the file is damaged or another build"],
    ["a wheel that ends early", wheelBytes.slice(0, 1000), "the file is damaged or another build"],
    ["a wheel of another platform", otherWheel, "macosx_12_0_arm64.whl, of tfjs-node on darwin-arm64"],
  ])("%s", async (_, bytes, said) => {
    const machine = fakeMachine()
    const wheel = putWheel(cache(), bytes)
    const { code, err } = await machine.millrace("engines", "add", "tfjs-node", "--wheel", wheel)
    expect(code).toBe(1)
    expect(err).toMatch(/^BadData in /)
    expect(err).toContain(said)
    expect(machine.programs).toEqual([])
    expect(filesIn(cache())).toEqual(["given.whl"])
  })

  test.each([
    [
      "no network for pip",
      "pip",
      "ERROR: No matching distribution found",
      /^InstallFailed in tensorflow-cpu==2\.21\.0/,
    ],
    ["no network for npm", "npm", "npm error network", /^BadData in @tensorflow\/tfjs-node@4\.22\.0/],
    ["an addon that does not compile", "c++", "fatal error: node_api.h", /^InstallFailed in c\+\+/],
    [
      "an engine that does not load",
      process.execPath,
      "GLIBC_2.40 not found",
      /^InstallFailed in tfjs-node in a process/,
    ],
  ])("%s", async (_, program, complaint, said) => {
    const machine = fakeMachine({
      instead: (words) => (words[0] === program && words[1] !== "--version" ? fails(complaint) : undefined),
    })
    const { code, err } = await machine.millrace("engines", "add", "tfjs-node", "--quiet")
    expect(code).toBe(1)
    expect(err).toMatch(said)
    expect(err).toContain(complaint)
    expect(err).toMatch(/\n {2}fix /)
    expect(filesIn(cache()).filter((path) => !/^engines\/wheels\/\w+\/\S+\.whl$/.test(path))).toEqual([])
  })

  test("an index that has other bytes under the wheel's name", async () => {
    const machine = fakeMachine({
      instead: (words) => {
        if (words[0] !== "pip" || words[1] === "--version") return undefined
        const into = words[words.indexOf("--dest") + 1]!
        putWheel(into, flipped, "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl")
        return Promise.resolve({ code: 0, signal: null, out: "", err: "" })
      },
    })
    const { code, err } = await machine.millrace("engines", "add", "tfjs-node", "--quiet")
    expect([code, err]).toEqual([1, expect.stringMatching(/^BadData in /)])
    expect(filesIn(cache())).toEqual([])
  })
})

test("an engine that is nowhere says which command installs it", async () => {
  const error = await Effect.runPromise(Effect.flip(findTensorFlow("tfjs-node-gpu")))
  expect(error.fix).toBe("run `millrace engines add tfjs-node-gpu`")
})
