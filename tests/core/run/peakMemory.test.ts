/** The memory that a stage is told to have taken. */

import { Buffer } from "node:buffer"
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { graph, recordRun, runEvents } from "@millrace/core"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { noEngine, source, step } from "./stages.js"

const MB = 2 ** 20

let root = ""
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-memory-"))
})
afterAll(() => rm(root, { recursive: true }))

/** A process that holds so many bytes from when this resolves. */
const holder = (bytes: number) =>
  new Promise<() => void>((resolve) => {
    const child = spawn(process.execPath, [
      "-e",
      `globalThis.held = Buffer.alloc(${bytes}, 1); console.log("held"); setInterval(() => {}, 1000)`,
    ])
    child.stdout.once("data", () => resolve(() => child.kill("SIGKILL")))
  })

const onLinux = test.runIf(process.platform === "linux")

onLinux("counts what a stage holds while it runs, also in processes of its own", async () => {
  const held: Array<Buffer> = []
  const calm = source(Effect.succeed(1))
  const own = step(() =>
    Effect.sync(() => {
      held.push(Buffer.alloc(200 * MB, 1))
      return 2
    }),
  )
  const child = step(() =>
    Effect.promise(async () => {
      held.length = 0
      const end = await holder(300 * MB)
      await new Promise((resolve) => setTimeout(resolve, 700))
      end()
      return 3
    }),
  )
  const events = runEvents()
  const memory = new Map<string, number>()
  events.all.subscribe((event) => {
    if (event.type === "stage.ended") memory.set(event.stage, event.memory ?? 0)
  })
  const run = graph("holding", {})
    .node("calm", calm, {})
    .node("own", own, { x: "calm" })
    .node("child", child, { x: "own" })
    .output("child")
  await Effect.runPromise(recordRun(run, { root, seed: 1, events }).pipe(noEngine))
  const [before, during] = [memory.get("calm") ?? 0, memory.get("own") ?? 0]
  expect(before).toBeGreaterThan(20 * MB)
  expect(during - before).toBeGreaterThan(180 * MB)
  expect((memory.get("child") ?? 0) - before).toBeGreaterThan(300 * MB)
})
