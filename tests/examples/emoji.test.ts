import { emojiOf } from "@millrace/examples/data/emoji"
import type { CaptionedImage, CaptionedImages, ImageSet } from "@millrace/pipelines"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { stageRunner } from "../pipelines/onStage.js"
import { colourOf, type Described, packageOf } from "./emojiPackage.js"
import { freshCache } from "./tarball.js"

const run = stageRunner()
const { drop } = freshCache()

const things: ReadonlyArray<Described> = [
  ...Array.from({ length: 30 }, (_, i) => ({ code: `a${i}`, name: `THING NUMBER ${i}`, tones: i % 3 === 0 })),
  { code: "b0", name: "TWIN", shortNames: ["left_twin"] },
  { code: "b1", name: "TWIN", shortNames: ["right-twin", "-1", "other twin"] },
  { code: "c0", name: "SWATCH", category: "Component" },
  { code: "c1", name: "NOT DRAWN", drawn: false },
]
const google = packageOf("google", things)
const twitter = packageOf("twitter", things)
const emoji = emojiOf({ google: google.pinned, twitter: twitter.pinned })

const config = {
  size: 4,
  heldOut: 0.25,
  tones: "train",
  templates: ["name", "emoji", "kind"],
  shifted: true,
} as const
type Options = Partial<Parameters<typeof emoji>[0]>
const load = async (options: Options = {}, seed = 1): Promise<CaptionedImages> => {
  drop("emoji-datasource-google-0.0.1.tgz", google.tarball)
  drop("emoji-datasource-twitter-0.0.1.tgz", twitter.tarball)
  return (await run(emoji({ ...config, ...options }).run({}), seed)).result
}
const all = (set: ImageSet): Promise<ReadonlyArray<CaptionedImage>> =>
  Effect.runPromise(set.read(Array.from({ length: set.count }, (_, i) => i)))
const baseOf = (name: string): string => name.split("-")[0]!

describe("emoji", () => {
  test("are split by base emoji: no concept and no skin tone of one is on both sides", async () => {
    for (const tones of ["none", "train", "all"] as const) {
      const { train, heldOut } = await load({ tones })
      const [seen, unseen] = [await all(train), await all(heldOut)].map(
        (set) => new Set(set.map(({ name }) => baseOf(name))),
      )
      expect([...unseen!].filter((name) => seen!.has(name))).toEqual([])
      expect(seen!.size + unseen!.size).toBe(32)
      expect(unseen!.size).toBe(8)
      expect(train.classes.filter((name) => heldOut.classes.includes(name))).toEqual([])
    }
  })

  test("show the artist's picture over white, in train, held out and shifted", async () => {
    const { train, heldOut, shifted } = await load({ tones: "all" })
    for (const [set, artist] of [
      [train, "google"],
      [heldOut, "google"],
      [shifted!, "twitter"],
    ] as const) {
      for (const { name, pixels } of await all(set)) {
        const [base, tone] = name.split("-") as [string, string?]
        const i = things.findIndex(({ code }) => code === base)
        const j = tone === undefined ? 0 : ["1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"].indexOf(tone) + 1
        const row = [255, 255, 255, 255, 255, 255, ...colourOf(6 * i + j, artist), ...colourOf(6 * i + j, artist)]
        expect([...pixels]).toEqual([...row, ...row, ...row, ...row])
      }
    }
  })

  test("shifted are the concepts of train, each once, under the same class, by the other artist", async () => {
    const { train, shifted } = await load()
    expect(shifted!.classes).toEqual(train.classes)
    expect(shifted!.count).toBe(train.classes.length)
    const bases = (await all(train)).filter(({ facts }) => facts!.tone === undefined)
    expect((await all(shifted!)).map(({ name, class: of }) => [name, of])).toEqual(
      bases.map(({ name, class: of }) => [name, of]),
    )
    expect((await load({ shifted: false })).shifted).toBeUndefined()
  })

  test("have skin tones where asked: in no set, in train, or in both sets of the first artist", async () => {
    const tonesOf = async (set: ImageSet) => (await all(set)).filter(({ facts }) => facts!.tone !== undefined).length
    const count = async (tones: "none" | "train" | "all") => {
      const { train, heldOut, shifted } = await load({ tones })
      return [await tonesOf(train), await tonesOf(heldOut), await tonesOf(shifted!)] as const
    }
    expect(await count("none")).toEqual([0, 0, 0])
    const [train, heldOut, shifted] = await count("all")
    expect(train + heldOut).toBe(50)
    expect(shifted).toBe(0)
    expect(await count("train")).toEqual([train, 0, 0])
  })

  test("are named by every template and every short name that has words, with the tone at the end", async () => {
    const { train, heldOut } = await load({ tones: "all" })
    const images = [...(await all(train)), ...(await all(heldOut))]
    const captions = (name: string) => images.find((image) => image.name === name)!.captions
    expect(captions("a4")).toEqual(["thing number 4", "an emoji of thing number 4", "thing number 4, some things"])
    expect(captions("a3-1F3FE")[1]).toBe("an emoji of thing number 3, medium-dark skin tone")
    expect(captions("b0")[0]).toBe("left twin")
    expect(captions("b1")).toEqual(["right twin", "an emoji of right twin", "right twin, some things", "other twin"])
    for (const set of [train, heldOut]) {
      for (const { captions, class: of } of await all(set)) expect(captions[0]).toContain(set.classes[of!])
    }
  })

  test("are split by the seed, and read the same by any order of indices", async () => {
    const one = await load()
    expect((await load()).heldOut.digest).toBe(one.heldOut.digest)
    expect((await load({}, 2)).heldOut.digest).not.toBe(one.heldOut.digest)
    expect((await load({ templates: ["name"] })).train.digest).not.toBe(one.train.digest)
    const some = await Effect.runPromise(one.train.read([5, 1, 5]))
    expect(some[0]).toEqual((await all(one.train))[5])
    expect(some[2]).toEqual(some[0])
  })

  test("of which too few or all would be held out are refused", async () => {
    await expect(load({ heldOut: 0.01 })).rejects.toThrow("0 concepts")
    await expect(load({ heldOut: 0.999 })).rejects.toThrow("32 concepts")
  })
})
