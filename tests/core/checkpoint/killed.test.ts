/** Runs that are killed at any operation of their disk. The long form kills every run at every one, and a second time. */
import { Disk, decodeEvents, openRunFolder, recordRun, storyOf } from "@millrace/core"
import { Effect, Exit, Logger } from "effect"
import { expect, test } from "vitest"
import { noEngine } from "../run/stages.js"
import { begun, longGraph, steps } from "./longStage.js"
import { type Fault, type MemoryDisk, memoryDisk, runIn } from "./memoryDisk.js"

/** A dead disk is warned of, again and again. */
const silent = Logger.layer([])

const root = "/runs"
const every = process.env.MILLRACE_LONG === undefined ? 7 : 1

/** A process: a new run, or one that goes on where there is one to go on with. */
const attemptOn = (disk: MemoryDisk) =>
  Effect.gen(function* () {
    const path = runIn(disk, root)
    const resume = path === undefined ? {} : { resume: yield* openRunFolder(path) }
    return yield* recordRun(longGraph(), { root, seed: 7, cache: "use", checkpointSeconds: 0, ...resume })
  }).pipe(noEngine, Effect.provideService(Disk, disk), Effect.provide(silent), Effect.exit, Effect.runPromise)

const whole = async (disk: MemoryDisk) => {
  const exit = await attemptOn(disk)
  if (Exit.isFailure(exit)) throw exit.cause
  return exit.value
}

/** The newest checkpoint that is there under its own name. */
const committed = (disk: MemoryDisk): number =>
  disk
    .paths()
    .map((path) => Number(/\/checkpoints\/long\/(\d{12})\/manifest\.json$/.exec(path)?.[1] ?? 0))
    .reduce((most, step) => Math.max(most, step), 0)

const undisturbed = memoryDisk()
const expected = whole(undisturbed)

const operations = async (): Promise<ReadonlyArray<number>> => {
  await expected
  return Array.from({ length: undisturbed.count() }, (_, i) => i + 1)
}

/** Goes on until it ends, and compares with the undisturbed run. */
const requireSame = async (disk: MemoryDisk, where: string) => {
  disk.restart()
  const newest = committed(disk)
  const path = runIn(disk, root)
  begun.length = 0
  const { digests, outputs, folder, story } = await whole(disk)
  expect(outputs, where).toEqual((await expected).outputs)
  expect(digests, where).toEqual((await expected).digests)
  // No checkpoint that was committed is lost, and a stage that was kept does not run again.
  if (begun.length > 0) expect(begun, where).toEqual([newest])
  expect(path === undefined || folder.path === path, where).toBe(true)
  expect(
    story.stages.get("long")?.points.map(({ step }) => step),
    where,
  ).toEqual([1, 2, 3, 4, 5])
  const told = storyOf(decodeEvents(new TextDecoder().decode(disk.files.get(`${folder.path}/events.jsonl`))))
  expect(told.stages.get("long")?.amount, where).toBe(2 * steps)
  expect(told.status, where).toBe("done")
  const left = disk.paths().filter((each) => each.startsWith(folder.path) && /checkpoints|running-/.test(each))
  expect(left, where).toEqual([])
}

test.each<Fault>(["dies", "tears"])(
  "a run whose disk %s at any operation goes on to the same digests",
  async (fault) => {
    const all = await operations()
    expect(all.length).toBeGreaterThan(100)
    for (const at of all.filter((each) => each % every === (fault === "dies" ? 0 : 3 % every))) {
      const disk = memoryDisk()
      disk.fault(at, fault)
      await attemptOn(disk)
      if (every === 1 && at % 5 === 0) {
        // And again, while it goes on.
        disk.restart()
        disk.fault(at >> 1, fault)
        await attemptOn(disk)
      }
      await requireSame(disk, `${fault} at ${at}`)
    }
  },
)

test("a disk that is full at any operation that writes leaves what was whole whole, says what to do, and the run can go on", async () => {
  for (const at of (await operations()).filter((each) => each % every === 5 % every)) {
    const disk = memoryDisk()
    disk.fault(at, "is full")
    const exit = await attemptOn(disk)
    if (Exit.isFailure(exit)) expect(String(exit.cause), `full at ${at}`).toMatch(/free some space/)
    else expect(exit.value.digests).toEqual((await expected).digests)
    const partial = disk.paths().filter((path) => path.includes(".part-"))
    expect(partial, `full at ${at}`).toEqual([])
    if (Exit.isFailure(exit)) await requireSame(disk, `full at ${at}`)
  }
})

test("what the store has of a stage that went on tells all of its steps", async () => {
  let disk = memoryDisk()
  const all = await operations()
  for (let at = all.length >> 2; at < all.length && committed(disk) < 3; at += 5) {
    disk = memoryDisk()
    disk.fault(at, "dies")
    await attemptOn(disk)
    disk.restart()
  }
  expect(committed(disk)).toBeGreaterThanOrEqual(3)
  await whole(disk)
  const again = await Effect.runPromise(
    recordRun(longGraph(), { root, seed: 7, cache: "use" }).pipe(noEngine, Effect.provideService(Disk, disk)),
  )
  const story = again.story.stages.get("long")
  expect(story?.status).toBe("cached")
  expect(story?.points.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5])
})
