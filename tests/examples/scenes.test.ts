import { scenesOf } from "@millrace/examples/data/scenes"
import { clearObjects, sceneColours, sceneObjects } from "@millrace/examples/data/scenesWorld"
import type { CaptionedImage, CaptionedImages, ImageSet } from "@millrace/pipelines"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { stageRunner } from "../pipelines/onStage.js"
import { packageOf } from "./emojiPackage.js"
import { freshCache } from "./tarball.js"

const run = stageRunner()
const { drop } = freshCache()
const { tarball, pinned } = packageOf(
  "google",
  Object.entries(sceneObjects).map(([name, code]) => ({ code, name: name.toUpperCase() })),
)
const scenes = scenesOf(pinned)
const config = { size: 32, train: 3000, heldOut: 1200, single: 2 / 3, background: "white" } as const
const load = async (options: Partial<Parameters<typeof scenes>[0]> = {}, seed = 1): Promise<CaptionedImages> => {
  drop("emoji-datasource-google-0.0.1.tgz", tarball)
  return (await run(scenes({ ...config, ...options }).run({}), seed)).result
}
const all = (set: ImageSet): Promise<ReadonlyArray<CaptionedImage>> =>
  Effect.runPromise(set.read(Array.from({ length: set.count }, (_, i) => i)))

/** Colour and object of each thing, and the two objects in order of the alphabet. */
const shown = ({ facts }: CaptionedImage) => {
  const { colour, object, colour2, object2 } = facts!
  const things = [`${colour} ${object}`, ...(object2 === undefined ? [] : [`${colour2} ${object2}`])]
  return { things, pair: object2 === undefined ? undefined : [object!, object2].sort().join(" ") }
}
const combinations = (images: ReadonlyArray<CaptionedImage>) => new Set(images.flatMap((image) => shown(image).things))
const pairs = (images: ReadonlyArray<CaptionedImage>) => new Set(images.flatMap((image) => shown(image).pair ?? []))

/** Rows and columns from the first to the last pixel that is not white. */
const extent = (pixels: Uint8Array, of: (pixel: ReadonlyArray<number>) => boolean) => {
  const places = Array.from({ length: 1024 }, (_, i) => i).filter((i) => of([...pixels.subarray(i * 3, i * 3 + 3)]))
  const mean = (values: ReadonlyArray<number>) => values.reduce((a, b) => a + b, 0) / values.length
  return { y: mean(places.map((i) => Math.floor(i / 32))), x: mean(places.map((i) => i % 32)), count: places.length }
}

describe("scenes", () => {
  test("held out show, each, what train never shows: a colour of an object, or two objects together", async () => {
    const { train, heldOut } = await load()
    const [seen, unseen] = [await all(train), await all(heldOut)]
    const [seenThings, seenPairs] = [combinations(seen), pairs(seen)]
    for (const image of unseen) {
      const { things, pair } = shown(image)
      const newColour = things.filter((thing) => !seenThings.has(thing)).length
      if (image.facts!.novel === "colour") expect(newColour).toBe(1)
      else {
        expect(image.facts!.novel).toBe("pair")
        expect(newColour).toBe(0)
        expect(seenPairs.has(pair!)).toBe(false)
      }
    }
    expect(seen.every(({ facts }) => facts!.novel === undefined)).toBe(true)
    expect(seenThings.size).toBe(24 * 7)
    expect([...combinations(unseen)].filter((thing) => !seenThings.has(thing)).length).toBe(24)
    for (const colour of Object.keys(sceneColours)) {
      expect([...seenThings].filter((thing) => thing.startsWith(`${colour} `)).length).toBe(21)
    }
  })

  test("hold as many colours of each object out as asked for, each colour of equally many objects", async () => {
    for (const heldOutColours of [2, 3] as const) {
      const sizes = { size: 16, train: 500, heldOut: 300 }
      const { train, heldOut } = await load({ ...sizes, objects: clearObjects, heldOutColours, single: 1 })
      const [seen, unseen] = [combinations(await all(train)), combinations(await all(heldOut))]
      expect(unseen.size).toBe(8 * heldOutColours)
      expect(seen.size).toBe(8 * (8 - heldOutColours))
      expect([...unseen].filter((thing) => seen.has(thing))).toEqual([])
      for (const names of [Object.keys(sceneColours), clearObjects]) {
        for (const name of names) {
          expect([...unseen].filter((thing) => thing.split(" ").includes(name)).length).toBe(heldOutColours)
        }
      }
    }
  })

  test("hold one of eight pairs of objects out", async () => {
    const { train, heldOut } = await load({ single: 0, train: 3000, heldOut: 1500 })
    expect(pairs(await all(train)).size).toBe(276 - 34)
    const novel = (await all(heldOut)).filter(({ facts }) => facts!.novel === "pair")
    expect(pairs(novel).size).toBe(34)
    expect(novel.length).toBeGreaterThan(650)
    expect(novel.length).toBeLessThan(850)
  })

  test("show the objects that are asked for, all of them and no other", async () => {
    const objects = ["car", "fish", "heart", "star", "tree"] as const
    const { train, heldOut } = await load({ objects, train: 400, heldOut: 100 })
    for (const set of [train, heldOut]) {
      const named = (await all(set)).flatMap(({ facts }) => [
        facts!.object,
        ...(facts!.object2 ? [facts!.object2] : []),
      ])
      expect([...new Set(named)].sort()).toEqual([...objects])
    }
  })

  test("have captions that say what their facts say", async () => {
    const words = { left: "to the left of", right: "to the right of", above: "above", below: "below" }
    for (const { captions, facts } of await all((await load({ train: 400 })).train)) {
      const { colour, object, relation, colour2, object2 } = facts!
      const article = (word: string) => (word === "orange" ? "an" : "a")
      const first = `${article(colour!)} ${colour} ${object}`
      expect(captions).toEqual([
        relation === undefined
          ? first
          : `${first} ${words[relation as keyof typeof words]} ${article(colour2!)} ${colour2} ${object2}`,
      ])
    }
  })

  test("have the first thing on the side of the second that the relation says, in its colour", async () => {
    const images = (await all((await load({ single: 0, train: 800 })).train)).filter(
      ({ facts }) => facts!.colour === "red" && (facts!.colour2 === "blue" || facts!.colour2 === "green"),
    )
    expect(images.length).toBeGreaterThan(10)
    for (const { pixels, facts } of images) {
      const white = ([r, g, b]: ReadonlyArray<number>) => r! > 235 && g! > 235 && b! > 235
      const red = extent(pixels, (pixel) => !white(pixel) && pixel[0]! > pixel[1]! && pixel[0]! > pixel[2]!)
      const other = extent(pixels, (pixel) => !white(pixel) && pixel[0]! < Math.max(pixel[1]!, pixel[2]!))
      expect(red.count).toBeGreaterThan(20)
      expect(other.count).toBeGreaterThan(20)
      const holds = {
        left: red.x < other.x - 8,
        right: red.x > other.x + 8,
        above: red.y < other.y - 8,
        below: red.y > other.y + 8,
      }
      expect(holds[facts!.relation as keyof typeof holds]).toBe(true)
    }
  })

  test("show one thing alone in the share that is asked for", async () => {
    const alone = async (single: number) =>
      (await all((await load({ single, train: 1500 })).train)).filter(({ facts }) => facts!.object2 === undefined)
        .length
    expect(await alone(1)).toBe(1500)
    expect(await alone(0)).toBe(0)
    expect(Math.abs((await alone(2 / 3)) - 1000)).toBeLessThan(75)
  })

  test("are functions of seed and index: any count and any order of reading gives the same", async () => {
    const few = (await load({ train: 10 })).train
    const many = (await load({ train: 1_000_000_000 })).train
    expect(await Effect.runPromise(many.read([7, 3]))).toEqual(await Effect.runPromise(few.read([7, 3])))
    expect((await Effect.runPromise(many.read([999_999_999])))[0]!.pixels.length).toBe(32 * 32 * 3)
    expect((await all((await load({ train: 10 }, 2)).train)).map(({ captions }) => captions)).not.toEqual(
      (await all(few)).map(({ captions }) => captions),
    )
    expect((await load({ train: 10 })).train.digest).toBe(few.digest)
    expect((await load({ train: 10 }, 2)).train.digest).not.toBe(few.digest)
    expect((await load({ train: 10, background: "light" })).train.digest).not.toBe(few.digest)
  })

  test("stay within the image at any size, on white or on three light colours", async () => {
    for (const size of [16, 17, 40]) {
      const images = await all((await load({ size, train: 200, background: "light" })).train)
      for (const { pixels } of images) expect(pixels.length).toBe(size * size * 3)
      const corners = new Set(images.map(({ pixels }) => [...pixels.subarray(0, 3)].join()))
      expect(corners.size).toBeGreaterThanOrEqual(3)
    }
  })
})
