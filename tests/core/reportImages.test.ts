import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { Script } from "node:vm"
import {
  decodeEvents,
  encodeEvent,
  graphFactsOfJson,
  type RunEvent,
  renderReport,
  type StageEvent,
  type StampedEvent,
  storyOf,
  type Table,
} from "@millrace/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { recordedEnvironment, recordedGraph } from "../fixtures/recordedRun.js"

type Grid = Extract<StageEvent, { type: "stage.images" }>

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** Bytes that begin as a PNG does: a report does not look further. */
const png = (mark: number, length = 40): Uint8Array => {
  const bytes = new Uint8Array(length).fill(mark)
  bytes.set(signature)
  return bytes
}

const stamp = (events: ReadonlyArray<RunEvent>): ReadonlyArray<StampedEvent> =>
  events.map((event, sequence) => ({ ...event, sequence, secondsSinceStart: sequence }))

const grid = (given: Partial<Grid> = {}): RunEvent => ({
  type: "stage.images",
  stage: "decoder",
  title: "Samples",
  step: 0,
  file: "images/decoder/Samples/grid.png",
  size: [32, 32],
  columns: 2,
  texts: ["a dog", "", "a cat"],
  columnNames: [],
  rowNames: [],
  ...given,
})

const overTime = (count: number, given: Partial<Grid> = {}): ReadonlyArray<RunEvent> =>
  Array.from({ length: count }, (_, i) => grid({ step: i * 100, file: `images/decoder/Samples/${i}.png`, ...given }))

const report = (events: ReadonlyArray<RunEvent>, images: ReadonlyArray<readonly [string, Uint8Array]>): string =>
  renderReport({
    graph: graphFactsOfJson(recordedGraph("dalle2")),
    story: storyOf(stamp(events)),
    seed: "7",
    environment: recordedEnvironment,
    images: new Map(images),
  })

const filesOf = (events: ReadonlyArray<RunEvent>, length = 40): ReadonlyArray<readonly [string, Uint8Array]> =>
  events.flatMap((event, i) => (event.type === "stage.images" ? [[event.file, png(i, length)] as const] : []))

const one = (events: ReadonlyArray<RunEvent> = [grid()]): string => report(events, filesOf(events))

const data = /data:image\/png;base64,([A-Za-z0-9+/=]*)/g

const policyOf = (page: string): string =>
  /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? ""

describe("images in the report", () => {
  test("a tile is the part of the picture that it was in, with its caption, its row and its column as its name", () => {
    const page = one([grid({ rowNames: ["first", "second"], columnNames: ["left", "right"], size: [8, 16] })])
    const tiles = [...page.matchAll(/viewBox="(\d+ \d+ \d+ \d+)" role="img" aria-label="([^"]*)"/g)].map(
      ([, box, name]) => `${box} ${name}`,
    )
    expect(tiles).toEqual(["0 0 16 8 first, left, a dog", "16 0 16 8 first, right", "0 8 16 8 second, left, a cat"])
    expect(page).toContain(`width="32" height="16" href="data:image/png;base64,`)
    expect(page).toContain('<p aria-hidden="true">a dog</p>')
    expect([...page.matchAll(/<th scope="(?:col|row)">(left|right|first|second)</g)]).toHaveLength(4)
  })

  test("the bytes in the page are the bytes of the file", () => {
    const [[, base64] = []] = [...one().matchAll(data)]
    expect(Uint8Array.from(Buffer.from(base64 ?? "", "base64"))).toEqual(png(0))
  })

  test("a tile is drawn at whole pixels for each of its own where there is room", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 1, max: 8 }), (size, columns) => {
        const page = one([grid({ size: [size, size], columns, texts: Array.from({ length: columns }, () => "") })])
        const [, width] = /<svg width="(\d+)" height="\d+" viewBox="0 0 \d+ \d+" role="img"/.exec(page) ?? []
        if (size <= 1060 / columns - 8) expect(Number(width) % size).toBe(0)
        expect(Number(width)).toBeLessThanOrEqual(128)
      }),
    )
  })

  test("grids of one title are steps to choose from without a script, the newest is chosen, first and last are there", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), (count) => {
        const page = one(overTime(count))
        const labels = [...page.matchAll(/<label for="images-0-\d+">(?:step )?([^<]*)<\/label>/g)].map(
          ([, text]) => text,
        )
        expect(labels[0]).toBe("start")
        expect(labels.at(-1)).toBe(((count - 1) * 100).toLocaleString("en-US"))
        expect(labels.length).toBeGreaterThanOrEqual(Math.min(count, 6))
        expect(labels.length).toBeLessThanOrEqual(12)
        const radios = [...page.matchAll(/<input type="radio" name="images-0"[^>]*>/g)].map(([tag]) => tag)
        expect(radios).toHaveLength(labels.length)
        expect(radios.filter((tag) => tag.includes("checked"))).toEqual([radios.at(-1)])
        for (let i = 1; i <= labels.length; i++) {
          expect(page).toContain(`.frames > input:nth-of-type(${i}):checked ~ .frame:nth-of-type(${i})`)
        }
      }),
      { numRuns: 25 },
    )
  })

  test("the steps between are evenly apart", () => {
    const grids = storyOf(stamp(overTime(500)))
      .stages.get("decoder")
      ?.images.get("Samples")
    const places = grids?.grids.map(({ place }) => place) ?? []
    expect(grids?.count).toBe(500)
    const gaps = places.slice(1, -1).map((place, i) => place - places[i]!)
    expect(new Set(gaps).size).toBe(1)
  })

  test("titles of a stage are bounded: of many, the newest are kept", () => {
    const events = Array.from({ length: 120 }, (_, i) => grid({ title: `t${i}`, file: `images/${i}.png` }))
    const titles = [...(storyOf(stamp(events)).stages.get("decoder")?.images.keys() ?? [])]
    expect(titles).toHaveLength(50)
    expect(titles.at(-1)).toBe("t119")
  })

  test("a page takes a bounded size of images, the newest of each title first; a title without room is named by its file", () => {
    const events = ["a", "b"].flatMap((title) =>
      overTime(8).map((event, i) => ({ ...event, title, file: `images/${title}/${i}.png` }) as RunEvent),
    )
    const page = report(events, filesOf(events, 1e6))
    const inside = [...page.matchAll(data)]
    expect(page.length).toBeLessThan(9e6)
    expect(inside.length).toBeGreaterThan(4)
    for (const file of ["images/a/7.png", "images/b/7.png", "images/a/0.png", "images/b/0.png"])
      expect(page).toContain(file)
    const huge = [grid()]
    const told = report(huge, filesOf(huge, 9e6))
    expect(told.length).toBeLessThan(1e6)
    expect(told).toContain("images/decoder/Samples/grid.png")
  })

  test("what is no PNG, or is not there, is named and not put into the page", () => {
    for (const images of [
      [],
      [["images/decoder/Samples/grid.png", new TextEncoder().encode("<svg onload=x>")]],
    ] as const) {
      const page = report([grid()], images)
      expect([...page.matchAll(data)]).toEqual([])
      expect(page).toContain("images/decoder/Samples/grid.png")
    }
  })

  test("the policy allows images from the page's own data, only where there are some, and nothing else more", () => {
    const plain = policyOf(report([grid()], []))
    const withImages = policyOf(one())
    expect(plain).not.toContain("img-src")
    expect(withImages.replace("img-src data:; ", "")).toBe(plain)
    expect(one().replace(data, "")).not.toMatch(/https?:\/\/|\s(?:src|action|poster|srcset)=|\sstyle=/)
  })

  test("numbers below the images are told whole, coloured by size, and moved through by a script that the policy allows", () => {
    const numbers = [
      { name: "a dog", values: [0.31, 0.1] },
      { name: "a cat", values: [0.05, Number.NaN] },
    ]
    const page = one([grid({ texts: ["", ""], numbers })])
    const cells = [...page.matchAll(/<td class="s(\d+)" title="([^"]*)">/g)].map(([, shade, text]) => [
      Number(shade),
      text,
    ])
    expect(cells).toEqual([
      [10, "0.31"],
      [2, "0.1"],
      [0, "0.05"],
      [0, "NaN"],
    ])
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)
    const allowed = [...policyOf(page).matchAll(/'sha256-([^']+)'/g)].map(([, hash]) => hash)
    expect(scripts.some((text) => text.includes(".numbers"))).toBe(true)
    for (const text of scripts) {
      expect(() => new Script(text)).not.toThrow()
      expect(allowed).toContain(createHash("sha256").update(text).digest("base64"))
    }
  })

  test("numbers survive the file of events, also those that JSON does not know", () => {
    const numbers = [{ name: "n", values: [1, Number.NaN, Number.NEGATIVE_INFINITY] }]
    const [event] = stamp([grid({ numbers })])
    expect(decodeEvents(encodeEvent(event!))).toEqual([event])
  })

  test("no text of an image becomes markup, and an event that lies about sizes breaks no page", () => {
    const tagsOf = (page: string): ReadonlyArray<string> =>
      [
        ...page.replace(/(<(script|style)[^>]*>)[\s\S]*?(<\/\2>)/g, "$1$3").matchAll(/<\/?[a-z!](?:[^>"]|"[^"]*")*>/gi),
      ].map(([tag]) => tag.replace(/"[^"]*"/g, '""'))
    const of = (text: string) =>
      tagsOf(
        one([
          grid({
            title: text,
            file: `images/${text}`,
            texts: [text, text],
            columnNames: [text],
            rowNames: [text],
            numbers: [{ name: text, values: [1, 2] }],
          }),
        ]),
      )
    const plain = of("plain")
    const hostile = fc.oneof(
      fc.constantFrom(`"><script>alert(1)</script>`, "</title>", "<!--", "' onload=x"),
      fc.string({ minLength: 1 }),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        expect(of(text)).toEqual(plain)
      }),
      { numRuns: 60 },
    )
    for (const columns of [0, -1, Number.NaN, 1e9]) {
      expect(one([grid({ columns, size: [Number.NaN, -5] })])).not.toMatch(
        /="[^"]*(?:NaN|Infinity|-\d)[^"]*" role="img"/,
      )
    }
  })

  test("equal runs give equal pages", () => {
    expect(one(overTime(9))).toBe(one(overTime(9)))
  })
})

describe("a table that is a curve", () => {
  const table: Table = {
    title: "CLIP score against n",
    columns: ["n", "score", "label"],
    rows: [
      [4, 0.3, "x"],
      [1, 0.1, "y"],
      [2, Number.NaN, "z"],
    ],
    curve: { x: "n", y: ["score", "label", "nothing"] },
  }
  const drawn = (given: Table) => {
    const page = report([{ type: "stage.table", stage: "rank", ...given }], [])
    return { page, curves: JSON.parse(/id="curves">(.*?)<\/script>/s.exec(page)?.[1] ?? "") }
  }

  test("is drawn in the order of x, a gap where a number is not finite, columns of words left out", () => {
    const { page, curves } = drawn(table)
    expect(curves.at(-1)).toEqual({ x: "n", steps: [1, 2, 4], values: { score: [0.1, null, 0.3] } })
    expect(
      [...page.matchAll(/class="curve" data-stage="(\d+)" data-value="(\w+)"/g)].map(([, at, name]) => [at, name]),
    ).toEqual([[String(curves.length - 1), "score"]])
    expect(page).toContain("new uPlot")
  })

  test("needs a column of numbers to run over, and two rows", () => {
    for (const given of [
      { ...table, curve: { x: "label", y: ["score"] } },
      { ...table, curve: { x: "nothing", y: ["score"] } },
      { ...table, rows: table.rows.slice(0, 1) },
    ]) {
      expect(drawn(given).curves).toHaveLength(1)
    }
  })
})
