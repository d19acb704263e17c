import { type Checkpoint, checkpointFolder, Disk, float32, int32 } from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { type MemoryDisk, memoryDisk } from "./memoryDisk.js"

const path = "/run/checkpoints/stage"

const checkpoint = (step: number, score?: number): Checkpoint => ({
  step,
  tensors: {
    params: { weight: float32([2, 2], [step, -0, Number.NaN, 1e-42]), count: int32([1], [step]) },
    optimizer: { first: float32([1], [step / 3]) },
  },
  notes: { rows: [[step, 0.1 + step]], text: "é" },
  ...(score !== undefined && { score }),
})

const on = <A, E>(disk: MemoryDisk, work: Effect.Effect<A, E>) =>
  Effect.runPromise(Effect.provideService(work, Disk, disk))

const open = (key = "key") => {
  const told: Array<string> = []
  return { told, ...checkpointFolder(path, key, (text) => Effect.sync(() => void told.push(text))) }
}

const saved = async (...all: ReadonlyArray<Checkpoint>): Promise<MemoryDisk> => {
  const disk = memoryDisk()
  const { save } = open()
  for (const one of all) await on(disk, save(one))
  return disk
}

const stepsOn = (disk: MemoryDisk): ReadonlyArray<number> =>
  [...new Set(disk.paths().map((file) => Number(file.slice(path.length + 1).split("/")[0])))].sort((a, b) => a - b)

const bitsOf = ({ tensors, ...rest }: Checkpoint) => {
  const bits: Record<string, string> = {}
  for (const [group, values] of Object.entries(tensors)) {
    for (const [name, { shape, data }] of Object.entries(values)) {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      bits[`${group} ${name} ${shape}`] = bytes.toString("hex")
    }
  }
  return { ...rest, bits }
}

test("what is restored is what was saved, to the bit", async () => {
  const disk = await saved(checkpoint(3, 0.5), checkpoint(7, 0.25))
  const found = await on(disk, open().restore)
  expect(found && bitsOf(found)).toEqual(bitsOf(checkpoint(7, 0.25)))
})

test("the last two and the best are kept", async () => {
  const scores = [3, 1, 2, 5, 4]
  expect(stepsOn(await saved(...scores.map((score, i) => checkpoint(i + 1, score))))).toEqual([2, 4, 5])
  expect(stepsOn(await saved(...scores.map((_, i) => checkpoint(i + 1))))).toEqual([4, 5])
  expect(stepsOn(await saved(...scores.map((_, i) => checkpoint(i + 1, Number.NaN))))).toEqual([4, 5])
})

test("a process that goes on keeps the best of those before it", async () => {
  const disk = await saved(checkpoint(1, 0), checkpoint(2, 2), checkpoint(3, 3))
  const { restore, save } = open()
  await on(disk, Effect.andThen(restore, save(checkpoint(4, 4))))
  await on(disk, save(checkpoint(5, 5)))
  expect(stepsOn(disk)).toEqual([1, 4, 5])
})

test("one of another key is never restored, and its place is taken", async () => {
  const disk = await saved(checkpoint(3))
  const other = open("other")
  expect(await on(disk, other.restore)).toBeUndefined()
  await on(disk, other.save(checkpoint(2)))
  expect((await on(disk, open("other").restore))?.step).toBe(2)
  expect((await on(disk, open().restore))?.step).toBe(3)
  await on(disk, other.save({ ...checkpoint(3), notes: "mine" }))
  expect((await on(disk, open("other").restore))?.notes).toBe("mine")
  expect(await on(disk, open().restore)).toBeUndefined()
})

test("of one with any byte flipped, cut off or missing a note is told, and the one before it is taken", async () => {
  const disk = await saved(checkpoint(1), checkpoint(2))
  const files = disk.paths().filter((file) => file.includes("/000000000002/"))
  expect(files).toHaveLength(3)
  const how = fc.record({
    file: fc.constantFrom(...files),
    at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
    bit: fc.integer({ min: 0, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(how, async ({ file, at, bit }) => {
      const good = disk.files.get(file)!
      const place = Math.floor(at * good.length)
      if (bit === 9) disk.files.delete(file)
      else if (bit === 8) disk.files.set(file, good.slice(0, place))
      else
        disk.files.set(
          file,
          good.map((byte, i) => (i === place ? byte ^ (1 << bit) : byte)),
        )
      const { restore, told } = open()
      expect((await on(disk, restore))?.step).toBe(1)
      expect(told.slice(1)).toEqual(["goes on from the checkpoint after step 1"])
      expect(told[0]).toMatch(
        /^the checkpoint after step 2 (?:is damaged|cannot be read) .*the one before it is taken$/s,
      )
      disk.files.set(file, good)
    }),
    { numRuns: 60 },
  )
  expect((await on(disk, open().restore))?.step).toBe(2)
})

test("where a save fails, at whatever operation, those before it are there and no part of it is", async () => {
  const counting = await saved(checkpoint(1), checkpoint(2))
  const before = counting.count()
  await on(counting, open().save(checkpoint(3)))
  const operations = counting.count() - before
  expect(operations).toBeGreaterThan(10)
  let failed = 0
  for (let at = 1; at <= operations; at++) {
    const disk = await saved(checkpoint(1), checkpoint(2))
    disk.fault(at, "is full")
    const outcome = await on(
      disk,
      Effect.match(open().save(checkpoint(3)), { onFailure: String, onSuccess: () => "saved" }),
    )
    if (outcome !== "saved") failed++
    if (outcome !== "saved") expect(outcome).toContain("free some space")
    expect((await on(disk, open().restore))?.step, `full at ${at}`).toBe(outcome === "saved" ? 3 : 2)
    expect(disk.paths().filter((file) => file.includes(".part-"))).toEqual([])
  }
  expect(failed).toBeGreaterThan(5)
})
