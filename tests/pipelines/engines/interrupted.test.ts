/** Installations that end at any of their steps: killed, without space, stopped. What is called again ends well. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { engineFolder } from "@millrace/core"
import { execute, type Ran } from "@millrace/pipelines"
import { Effect, Fiber } from "effect"
import { expect, test } from "vitest"
import { freshCache } from "../../examples/tarball.js"
import { bury, type FakeMachine, fakeMachine, filesIn } from "./fakeMachine.js"

const { cache } = freshCache()
const engines = () => join(cache(), "engines")
const add = (machine: FakeMachine) => machine.millrace("engines", "add", "tfjs-node", "--quiet")
/** Every so many operations; the long form stops at each. */
const every = process.env.MILLRACE_LONG === undefined ? 11 : 1

const whole = async (): Promise<{ readonly operations: number; readonly files: ReadonlyArray<string> }> => {
  const machine = fakeMachine()
  expect((await add(machine)).code).toBe(0)
  const operations = machine.count()
  const files = filesIn(engines())
  expect((await machine.millrace("engines", "remove", "tfjs-node")).code).toBe(0)
  return { operations, files }
}

test("a process that is killed at any operation leaves no half engine, and the next one ends as if it had not been", async () => {
  const { operations, files } = await whole()
  expect(operations).toBeGreaterThan(50)
  const inFolder = files.map((file) => file.split("/").slice(2).join("/"))
  for (let at = 1; at <= operations; at += every) {
    const machine = fakeMachine()
    machine.arm({ at, kind: "dies" })
    const { code } = await add(machine)
    const folder = engineFolder("tfjs-node", "linux-x64")
    if (existsSync(folder)) expect(filesIn(folder), `${at}`).toEqual(inFolder)
    else expect(code, `${at}`).toBe(1)
    bury(engines())
    machine.arm(undefined)
    expect((await add(machine)).code, `${at}`).toBe(0)
    expect(filesIn(engines()), `${at}`).toEqual(files)
    await machine.millrace("engines", "remove", "tfjs-node")
    expect(existsSync(engines()), `${at}`).toBe(false)
  }
})

test("a disk that is full at any operation is a typed error, leaves at most checked wheels, and then the rest is done", async () => {
  const { operations, files } = await whole()
  for (let at = 1; at <= operations; at += every) {
    const machine = fakeMachine()
    machine.arm({ at, kind: "is full" })
    const { code, err } = await add(machine)
    if (code !== 0) {
      expect(err, `${at}`).toMatch(/^(?:DiskFailed|BadData|InstallFailed) in /)
      expect(err, `${at}`).toMatch(/MILLRACE_CACHE|put the file at|use another engine/)
      expect(
        filesIn(engines()).filter((file) => !file.startsWith("wheels/") && !file.startsWith("tfjs-node/")),
      ).toEqual([])
    }
    machine.arm(undefined)
    expect((await add(machine)).code, `${at}`).toBe(0)
    expect(filesIn(engines()), `${at}`).toEqual(files)
    await machine.millrace("engines", "remove", "tfjs-node")
  }
})

test("a fetched wheel is kept until the engine is whole, and not fetched twice", async () => {
  let broken = true
  const machine = fakeMachine({
    instead: (words) =>
      broken && words[0] === "c++" && words[1] !== "--version"
        ? Promise.resolve({ code: 1, signal: null, out: "", err: "error" })
        : undefined,
  })
  expect((await add(machine)).code).toBe(1)
  expect(filesIn(engines())).toEqual([expect.stringMatching(/^wheels\/\w{64}\/tensorflow_cpu.*\.whl$/)])
  const { out } = await machine.millrace("engines", "add", "tfjs-node", "--dry-run")
  expect(out).toContain("kept from before")
  broken = false
  expect((await add(machine)).code).toBe(0)
  expect(machine.programs.filter((program) => program.startsWith("pip"))).toHaveLength(1)
  expect(existsSync(join(engines(), "wheels"))).toBe(false)
})

test.each(["npm", "pip", "c++", process.execPath])(
  "Ctrl-C while %s runs stops it, waits for it, and leaves nothing half",
  async (program) => {
    let stopped = false
    const machine = fakeMachine({
      instead: (words, signal) => {
        if (words[0] !== program || words[1] === "--version") return undefined
        return new Promise<Ran>((resolve) =>
          signal.addEventListener("abort", () => {
            stopped = true
            setTimeout(() => resolve({ code: null, signal: "SIGTERM", out: "", err: "" }), 20)
          }),
        )
      },
    })
    await Effect.runPromise(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(machine.provide(execute(["engines", "add", "tfjs-node", "--quiet"])))
        const name = program === process.execPath ? "node" : program
        while (!machine.programs.some((one) => one.startsWith(name))) yield* Effect.sleep(5)
        yield* Fiber.interrupt(fiber)
      }),
    )
    expect(stopped).toBe(true)
    expect(filesIn(engines()).filter((file) => !file.startsWith("wheels/"))).toEqual([])
    expect((await add(fakeMachine())).code).toBe(0)
  },
)

test("another process that installs is waited for by nobody: it is said", async () => {
  const held = fakeMachine({
    instead: (words, signal) => {
      if (words[0] !== "pip" || words[1] === "--version") return undefined
      const ended: Ran = { code: null, signal: "SIGTERM", out: "", err: "" }
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve(ended)))
    },
  })
  const first = Effect.runFork(held.provide(execute(["engines", "add", "tfjs-node", "--quiet"])))
  while (!held.programs.includes("pip download")) await new Promise((resolve) => setTimeout(resolve, 5))
  const { code, err } = await add(fakeMachine())
  expect([code, err]).toEqual([1, expect.stringContaining(`process ${process.pid}, which is`)])
  await Effect.runPromise(Fiber.interrupt(first))
  expect(filesIn(engines())).toEqual([])
})
