import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BadData, BadLength } from "@millrace/core"
import { type CaptionedImage, type CaptionedImages, type ImageSet, imageFolder } from "@millrace/pipelines"
import { Effect } from "effect"
import { encode } from "jpeg-js"
import { afterAll, describe, expect, test } from "vitest"
import { stageRunner } from "../onStage.js"
import { rgbPng } from "./png.js"

const run = stageRunner()
const made: Array<string> = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

const folderOf = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-images-")))
  made.push(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

const shade = (i: number): readonly [number, number, number] => [(i * 37) % 256, (i * 91) % 256, (i * 17) % 256]
const flat = (i: number): Buffer => rgbPng(4, 4, () => shade(i))

const config = {
  size: 4,
  background: [255, 255, 255],
  heldOut: 0.3,
  by: "image",
  bad: "skip",
  check: "structure",
} as const
type Options = Partial<Omit<Parameters<typeof imageFolder>[0], "path">>

const load = (path: string, options: Options = {}, seed = 1) =>
  run(imageFolder({ ...config, ...options, path }).run({}), seed)
const refusal = async (path: string, options: Options = {}) => {
  const error = await load(path, options).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof BadData || error instanceof BadLength) return error
  throw error ?? new Error("it was taken")
}
const all = (set: ImageSet): Promise<ReadonlyArray<CaptionedImage>> =>
  Effect.runPromise(set.read(Array.from({ length: set.count }, (_, i) => i)))
const everything = async ({ train, heldOut }: CaptionedImages) => [...(await all(train)), ...(await all(heldOut))]
const namesOf = (images: ReadonlyArray<CaptionedImage>): ReadonlyArray<string> => images.map(({ name }) => name).sort()
const lines = (rows: ReadonlyArray<unknown>): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("")

/** Images 0 … n - 1 in one list; image i is of class i mod 4. */
const listed = (n: number) => ({
  "captions.jsonl": lines(
    Array.from({ length: n }, (_, i) => ({ file: `${i}.png`, caption: `shade ${i}`, class: `kind ${i % 4}` })),
  ),
  ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`${i}.png`, flat(i)])),
})

describe("a folder with captions.jsonl", () => {
  test("gives every image once, in train or held out, with its own pixels, captions and class", async () => {
    const { result } = await load(folderOf(listed(40)))
    expect(namesOf(await everything(result))).toEqual(Array.from({ length: 40 }, (_, i) => `${i}.png`).sort())
    for (const set of [result.train, result.heldOut]) {
      expect(set.count).toBeGreaterThan(4)
      for (const image of await all(set)) {
        const i = Number.parseInt(image.name, 10)
        expect(image.captions).toEqual([`shade ${i}`])
        expect(set.classes[image.class!]).toBe(`kind ${i % 4}`)
        expect([...image.pixels]).toEqual(Array.from({ length: 16 }, () => shade(i)).flat())
      }
    }
  })

  test("reads by index in any order, the same each time", async () => {
    const { result } = await load(folderOf(listed(12)))
    const [a, b, again] = await Effect.runPromise(result.train.read([2, 0, 2]))
    expect(again).toEqual(a)
    expect([(await all(result.train))[2], (await all(result.train))[0]]).toEqual([a, b])
  })

  test("holds out by name and seed alone: more images move none, another seed moves some", async () => {
    const heldOut = async (n: number, seed: number) =>
      namesOf(await all((await load(folderOf(listed(n)), {}, seed)).result.heldOut))
    const few = await heldOut(30, 1)
    expect((await heldOut(60, 1)).filter((name) => Number.parseInt(name, 10) < 30)).toEqual(few)
    expect(await heldOut(30, 2)).not.toEqual(few)
  })

  test("holds whole classes out, so that train shows none of them", async () => {
    const { result } = await load(folderOf(listed(40)), { by: "class", heldOut: 0.5 })
    expect(result.train.classes.length + result.heldOut.classes.length).toBe(4)
    expect(result.train.classes.filter((name) => result.heldOut.classes.includes(name))).toEqual([])
    expect(result.train.count).toBe(result.train.classes.length * 10)
    const none = lines([{ file: "0.png", caption: "no class" }])
    expect(
      (await refusal(folderOf({ "0.png": flat(0), "captions.jsonl": none }), { by: "class", bad: "fail" })).expected,
    ).toBe("a class, to hold classes out")
  })

  test("takes several captions, folders within, blank lines, other keys and a last line without an end", async () => {
    const files = listed(12)
    const others = files["captions.jsonl"]
    const path = folderOf({
      ...files,
      "captions.jsonl": `${others}\n{"file": "deep/er/a.png", "captions": ["one", "zwei"], "width": 4}\r\n\n{"file":"b.jpg","caption":"b"}`,
      "deep/er/a.png": flat(1),
      "b.jpg": encode({ height: 8, width: 6, data: Buffer.alloc(192, 90) }, 100).data,
    })
    const images = await everything((await load(path, { heldOut: 0.5 })).result)
    expect(images.length).toBe(14)
    const added = images.filter(({ class: of }) => of === undefined)
    expect(added.map(({ name, captions }) => [name, captions]).sort()).toEqual([
      ["b.jpg", ["b"]],
      ["deep/er/a.png", ["one", "zwei"]],
    ])
  })

  test("has a digest that files and captions alone decide: a byte of either changes it, another place does not", async () => {
    const files = listed(20)
    const digests = async (files: Readonly<Record<string, string | Uint8Array>>, options: Options = {}) => {
      const { train, heldOut } = (await load(folderOf(files), options)).result
      return [train.digest, heldOut.digest].join()
    }
    const whole = await digests(files)
    expect(await digests(files, { check: "pixels" })).toBe(whole)
    for (const [name, content] of [
      ["captions.jsonl", files["captions.jsonl"].replace("shade 7", "shade 8")],
      ["captions.jsonl", files["captions.jsonl"].replace("kind 3", "kind 2")],
      ["3.png", flat(99)],
    ] as const) {
      expect(await digests({ ...files, [name]: content })).not.toBe(whole)
    }
  })

  test("is refused when an image is not any more what the run began with", async () => {
    const path = folderOf(listed(12))
    const { result } = await load(path)
    for (let i = 0; i < 12; i++) writeFileSync(join(path, `${i}.png`), flat(i + 1))
    await expect(all(result.train)).rejects.toThrow("the image and captions that the run began with")
  })
})

describe("a folder with text files", () => {
  test("gives each image the lines of the text beside it", async () => {
    const others = Array.from({ length: 12 }, (_, i) => [
      [`${i}.png`, flat(i)],
      [`${i}.txt`, `shade ${i}`],
    ]).flat()
    const path = folderOf({
      ...Object.fromEntries(others),
      "b.png": flat(1),
      "b.txt": "first\n\nsecond\r\n",
      "a.JPG": encode({ height: 8, width: 8, data: Buffer.alloc(256, 7) }, 90).data,
      "a.txt": "only",
      "notes.md": "no image",
    })
    const images = await everything((await load(path, { heldOut: 0.5 })).result)
    expect(images.length).toBe(14)
    const added = images.filter(({ name }) => /^[ab]/.test(name))
    expect(added.map(({ name, captions }) => [name, captions]).sort()).toEqual([
      ["a.JPG", ["only"]],
      ["b.png", ["first", "second"]],
    ])
  })

  test("without a text for an image names the image", async () => {
    expect((await refusal(folderOf({ "a.png": flat(1) }), { bad: "fail" })).where).toBe("a.txt")
  })
})

describe("a bad file", () => {
  const secret = folderOf({ "secret.png": flat(5) })
  const good = listed(20)
  const bad: ReadonlyArray<readonly [what: string, add: (path: string) => void, line: string, expected: RegExp]> = [
    ["is missing", () => {}, '{"file":"none.png","caption":"x"}', /a file that can be read/],
    ["leads up", () => {}, `{"file":"../${secret.split("/").at(-1)}/secret.png","caption":"x"}`, /within the folder/],
    ["is absolute", () => {}, `{"file":"${secret}/secret.png","caption":"x"}`, /within the folder/],
    ["has a backslash", () => {}, '{"file":"..\\\\secret.png","caption":"x"}', /within the folder/],
    ["has a drive", () => {}, '{"file":"c:secret.png","caption":"x"}', /within the folder/],
    [
      "is a link",
      (path) => symlinkSync(join(secret, "secret.png"), join(path, "link.png")),
      '{"file":"link.png","caption":"x"}',
      /a plain file/,
    ],
    [
      "lies behind a link",
      (path) => symlinkSync(secret, join(path, "away")),
      '{"file":"away/secret.png","caption":"x"}',
      /within the folder/,
    ],
    ["is a folder", (path) => mkdirSync(join(path, "f.png")), '{"file":"f.png","caption":"x"}', /a plain file/],
    [
      "is no image",
      (path) => writeFileSync(join(path, "t.png"), "text"),
      '{"file":"t.png","caption":"x"}',
      /PNG or JPEG/,
    ],
    [
      "is too large a file",
      (path) => writeFileSync(join(path, "l.png"), Buffer.concat([flat(1), Buffer.alloc(20_000)])),
      '{"file":"l.png","caption":"x"}',
      /at most 0.02 MB/,
    ],
    [
      "has too many pixels",
      (path) =>
        writeFileSync(
          join(path, "p.png"),
          rgbPng(40, 40, () => shade(1)),
        ),
      '{"file":"p.png","caption":"x"}',
      /million pixels/,
    ],
    ["has no caption", () => {}, '{"file":"1.png"}', /"caption"/],
    ["has a caption of blanks", () => {}, '{"file":"1.png","caption":" "}', /"caption"/],
    ["has a caption that is no text", () => {}, '{"file":"1.png","captions":[3]}', /"caption"/],
    ["has a class that is no text", () => {}, '{"file":"1.png","caption":"x","class":3}', /a class that is a text/],
    ["has no list of captions", () => {}, '{"file":"1.png","captions":[]}', /"caption"/],
    ["has a line that is no JSON", () => {}, "{file: 1}", /./],
    ["has a key twice", () => {}, '{"file":"1.png","file":"2.png","caption":"x"}', /each key once/],
    [
      "has a line of two megabytes",
      () => {},
      `{"file":"1.png","caption":"${"x".repeat(2 << 20)}"}`,
      /a line of at most/,
    ],
  ]
  const limits = { megapixels: 0.0015, megabytes: 0.02 }

  test.each(bad)("that %s ends the run, or is left out and told of, as configured", async (_, add, line, expected) => {
    const path = folderOf({ ...good, "captions.jsonl": `${line}\n${good["captions.jsonl"]}` })
    add(path)
    const error = await refusal(path, { ...limits, bad: "fail" })
    expect(error.expected).toMatch(expected)
    const { result, events } = await load(path, limits)
    expect(result.train.count + result.heldOut.count).toBe(20)
    const note = events.flatMap((event) => (event.type === "stage.note" ? [event.text] : []))[0]
    expect(note).toMatch(/^1 of 21 left out:\n/)
    expect(note).toContain("captions.jsonl:1")
    expect((await everything(result)).length).toBe(20)
  })

  test("with a fault in its compressed data is found before training where pixels are checked, else when it is read", async () => {
    const noise = Buffer.from(Array.from({ length: 32 * 32 * 4 }, (_, i) => Math.imul(i, 2654435761) >>> 24))
    const whole = Buffer.from(encode({ height: 32, width: 32, data: noise }, 90).data)
    const early = Buffer.concat([whole.subarray(0, -100), Buffer.of(0xff, 0xd9)])
    const path = folderOf({
      ...good,
      "x.jpg": early,
      "captions.jsonl": `${good["captions.jsonl"]}{"file":"x.jpg","caption":"x"}\n`,
    })
    const { result } = await load(path, { check: "pixels" })
    expect(result.train.count + result.heldOut.count).toBe(20)
    const later = (await load(path, { check: "structure" })).result
    expect(later.train.count + later.heldOut.count).toBe(21)
    await expect(everything(later)).rejects.toThrow("x.jpg")
  })

  test("of 400 MB is refused without being read", async () => {
    const path = folderOf({ ...good, "captions.jsonl": '{"file":"large.png","caption":"x"}\n' })
    writeFileSync(join(path, "large.png"), flat(1))
    truncateSync(join(path, "large.png"), 400e6)
    const before = process.resourceUsage().maxRSS
    expect((await refusal(path, { ...limits, bad: "fail" })).received).toBe("400 MB")
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200_000)
  })

  test("is named five times, and the others are counted", async () => {
    const missing = lines(Array.from({ length: 12 }, (_, i) => ({ file: `no${i}.png`, caption: "x" })))
    const { events } = await load(folderOf({ ...good, "captions.jsonl": missing + good["captions.jsonl"] }))
    const note = events.flatMap((event) => (event.type === "stage.note" ? [event.text] : []))[0]!
    expect(note).toMatch(/^12 of 32 left out:\n/)
    expect(note.match(/\(captions\.jsonl:\d+\)/g)?.length).toBe(5)
    expect(note).toMatch(/and 7 more$/)
  })

  test("of which there are only such leaves nothing to learn from, which is told", async () => {
    const error = await refusal(folderOf({ "captions.jsonl": '{"file":"none.png","caption":"x"}\n' }))
    expect(error).toBeInstanceOf(BadLength)
    expect(error.received).toBe("0 and 0, of 1, 1 left out")
  })

  test("in place of the list of captions is refused: a link could show any file's lines in messages", async () => {
    const path = folderOf({ "0.png": flat(0), other: '{"file":"0.png","caption":"x"}' })
    symlinkSync(join(path, "other"), join(path, "captions.jsonl"))
    expect((await refusal(path)).where).toBe("captions.jsonl")
    expect((await refusal(join(path, "nowhere"))).expected).toBe("a folder of images")
  })
})
