import { Buffer } from "node:buffer"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Images, RunEvent, StampedEvent } from "@millrace/core"
import {
  asksSixel,
  enlarge,
  type ImageProtocol,
  imageProtocol,
  imagesText,
  iterm,
  type Keyboard,
  kitty,
  type Picture,
  showRun,
  sixel,
} from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { decode as decodePng, encode as encodePng } from "fast-png"
import { from } from "rxjs"
import { decode as decodeSixel } from "sixel"
import { describe, expect, test } from "vitest"

const esc = "\u001b"
const bel = "\u0007"

const bytes = fc.uint8Array({ maxLength: 12_000 })

/** What a terminal that knows kitty's protocol would gather from a text: the keys of the first code, and the bytes. */
const readKitty = (text: string) => {
  const codes = text.split(`${esc}\\`).slice(0, -1)
  const parts = codes.map((code) => {
    expect(code.startsWith(`${esc}_G`)).toBe(true)
    const [keys = "", data = ""] = code.slice(3).split(";")
    return { keys: Object.fromEntries(keys.split(",").map((pair) => pair.split("="))) as Record<string, string>, data }
  })
  return { parts, png: Buffer.from(parts.map(({ data }) => data).join(""), "base64") }
}

describe("kitty's protocol", () => {
  test("of a small PNG is one code", () => {
    expect(kitty(Uint8Array.of(1, 2, 3), 7)).toBe(`${esc}_Ga=T,f=100,c=7,q=2,m=0;AQID${esc}\\`)
  })

  test("carries the bytes in parts of at most 4096 characters, whole groups of four in all but the last", () => {
    fc.assert(
      fc.property(bytes, (png) => {
        const { parts, png: back } = readKitty(kitty(png, 3))
        expect(Uint8Array.from(back)).toEqual(png)
        expect(parts.map(({ keys }) => keys.m)).toEqual([...parts.slice(1).map(() => "1"), "0"])
        for (const { data } of parts) expect(data.length).toBeLessThanOrEqual(4096)
        for (const { data } of parts.slice(0, -1)) expect(data.length % 4).toBe(0)
        for (const { keys } of parts.slice(1)) expect(Object.keys(keys)).toEqual(["q", "m"])
      }),
    )
  })

  test("asks for no answer in any part: it would be read as keys that were typed", () => {
    for (const { keys } of readKitty(kitty(new Uint8Array(9000), 3)).parts) expect(keys.q).toBe("2")
  })
})

test("iTerm2's code names the size in bytes, the width in cells, and carries the bytes", () => {
  expect(iterm(Uint8Array.of(1, 2, 3), 7)).toBe(
    `${esc}]1337;File=inline=1;size=3;width=7;preserveAspectRatio=1:AQID${bel}`,
  )
  fc.assert(
    fc.property(bytes, (png) => {
      const [, size, data] = /^.\]1337;File=inline=1;size=(\d+);.*:([A-Za-z0-9+/=]*).$/s.exec(iterm(png, 9)) ?? []
      expect(Number(size)).toBe(png.length)
      expect(Uint8Array.from(Buffer.from(data ?? "", "base64"))).toEqual(png)
    }),
  )
})

/** Pictures of a few colours, some of it transparent. */
const pictures = fc
  .record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 14 }) })
  .chain(({ width, height }) =>
    fc
      .array(fc.constantFrom([255, 0, 0, 255], [0, 128, 64, 255], [9, 9, 9, 255], [0, 0, 0, 0]), {
        minLength: width * height,
        maxLength: width * height,
      })
      .map((pixels): Picture => ({ width, height, data: Uint8Array.from(pixels.flat()) })),
  )

const isEmpty = ({ data }: Picture): boolean => data.every((value, i) => i % 4 !== 3 || value === 0)

describe("sixels", () => {
  test("of one red pixel are a palette of one colour and one character", () => {
    const text = sixel({ width: 1, height: 1, data: Uint8Array.of(255, 0, 0, 255) })
    expect(text).toBe(`${esc}P0;1;q"1;1;1;1#0;2;100;0;0#0@$${esc}\\`)
  })

  test("read back they are the picture, to the percent that colours have, and nothing where it is transparent", () => {
    const nothing = 0xff030201
    fc.assert(
      fc.property(pictures, (picture) => {
        const text = sixel(picture)
        expect(text.startsWith(`${esc}P0;1;q"1;1;${picture.width};${picture.height}#`) || isEmpty(picture)).toBe(true)
        expect(text.endsWith(`${esc}\\`)).toBe(true)
        expect(text.slice(1, -2)).toMatch(/^[ -~]*$/)
        const back = decodeSixel(text.slice(text.indexOf("q") + 1, -2), { fillColor: nothing })
        const data = new Uint8Array(back.data32.buffer, back.data32.byteOffset, back.data32.byteLength)
        for (let i = 0; i < picture.data.length; i += 4) {
          const at = Math.floor(i / 4)
          const [y, x] = [Math.floor(at / picture.width), at % picture.width]
          const there = x < back.width && y < back.height ? (y * back.width + x) * 4 : undefined
          const seen = there === undefined ? [1, 2, 3] : [...data.subarray(there, there + 3)]
          const meant = picture.data[i + 3] === 0 ? [1, 2, 3] : [...picture.data.subarray(i, i + 3)]
          for (const [c, value] of meant.entries()) expect(Math.abs(value - seen[c]!)).toBeLessThanOrEqual(2)
        }
      }),
    )
  })

  test("of more than 256 colours are near the picture on the whole", () => {
    const [width, height] = [48, 48]
    const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
      const [at, c] = [Math.floor(i / 4), i % 4]
      return c === 3 ? 255 : c === 0 ? (at % width) * 5 : c === 1 ? Math.floor(at / width) * 5 : 128
    })
    const text = sixel({ width, height, data })
    const back = decodeSixel(text.slice(text.indexOf("q") + 1, -2))
    expect([back.width, back.height]).toEqual([width, height])
    const seen = new Uint8Array(back.data32.buffer, back.data32.byteOffset, back.data32.byteLength)
    const off = data.reduce((sum, value, i) => sum + Math.abs(value - seen[i]!), 0) / data.length
    expect(off).toBeLessThan(6)
  })
})

/** A sheet of tiles whose every pixel differs from its neighbours. */
const sheetOf = (height: number, width: number, columns: number, count: number) => {
  const size = { height: Math.ceil(count / columns) * height, width: columns * width }
  const data = Uint8Array.from({ length: size.height * size.width * 3 }, (_, i) => (i * 37) % 251)
  return { data, png: encodePng({ ...size, data, channels: 3, depth: 8 }), across: size.width }
}

const shapes = fc.record({
  height: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 40 }),
  columns: fc.integer({ min: 1, max: 5 }),
  count: fc.integer({ min: 1, max: 9 }),
})

describe("tiles made larger", () => {
  test("every pixel is repeated in a square, and what is between tiles is transparent", () => {
    fc.assert(
      fc.property(shapes, ({ height, width, columns, count }) => {
        const { data, png, across } = sheetOf(height, width, columns, count)
        const made = enlarge(png, { size: [height, width], columns, count }, { width: 4000, height: 4000 })
        expect(made).toBeDefined()
        const scale = Math.max(1, Math.floor(96 / Math.max(height, width)))
        let opaque = 0
        const wrong: Array<readonly [y: number, x: number]> = []
        for (let y = 0; y < made!.height; y++) {
          for (let x = 0; x < made!.width; x++) {
            const at = (y * made!.width + x) * 4
            const [row, column] = [Math.floor(y / (height * scale + 4)), Math.floor(x / (width * scale + 4))]
            const [inY, inX] = [y % (height * scale + 4), x % (width * scale + 4)]
            const isTile = inY < height * scale && inX < width * scale && row * columns + column < count
            if (made!.data[at + 3] !== (isTile ? 255 : 0)) wrong.push([y, x])
            if (!isTile) continue
            opaque++
            const source = (row * height + Math.floor(inY / scale)) * across + column * width + Math.floor(inX / scale)
            for (let c = 0; c < 3; c++) if (made!.data[at + c] !== data[source * 3 + c]) wrong.push([y, x])
          }
        }
        expect(wrong).toEqual([])
        expect(opaque).toBe(count * height * width * scale * scale)
      }),
      { numRuns: 25 },
    )
  })

  test("they stay in the room that there is, while a tile has a pixel to show", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 60, max: 900 }), ({ height, width, columns, count }, room) => {
        const { png } = sheetOf(height, width, columns, count)
        const made = enlarge(png, { size: [height, width], columns, count }, { width: room, height: 480 })
        const tile = (room - 4 * (columns - 1)) / columns
        if (tile >= 1 && Math.ceil(width / tile) <= Math.min(width, height))
          expect(made!.width).toBeLessThanOrEqual(room)
      }),
      { numRuns: 100 },
    )
  })

  test("a tile that is made smaller keeps its mean colour", () => {
    const [height, width] = [64, 64]
    const data = Uint8Array.from(
      { length: height * width * 3 },
      (_, i) => ((Math.floor(i / 3) + Math.floor(i / 192)) % 2) * 200,
    )
    const png = encodePng({ height, width, data, channels: 3, depth: 8 })
    const made = enlarge(png, { size: [height, width], columns: 1, count: 1 }, { width: 32, height: 480 })
    expect([made?.width, made?.height]).toEqual([32, 32])
    expect(new Set([...made!.data].filter((_, i) => i % 4 !== 3))).toEqual(new Set([100]))
  })

  test("a file that is not the grid it is said to be gives nothing", () => {
    const { png } = sheetOf(8, 8, 2, 4)
    expect(enlarge(png, { size: [8, 9], columns: 2, count: 4 }, { width: 400, height: 400 })).toBeUndefined()
    expect(enlarge(png, { size: [8, 8], columns: 2, count: 5 }, { width: 400, height: 400 })).toBeUndefined()
  })
})

describe("the way that a terminal shows images", () => {
  const live = { isTTY: true, columns: 80, write: () => true }
  const log = { write: () => true }

  test.each<readonly [ReturnType<typeof imageProtocol>, Record<string, string>]>([
    ["kitty", { TERM: "xterm-kitty" }],
    ["kitty", { TERM: "xterm-256color", KITTY_WINDOW_ID: "1" }],
    ["kitty", { TERM: "xterm-ghostty", TERM_PROGRAM: "ghostty" }],
    ["iterm", { TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }],
    ["iterm", { TERM: "xterm-256color", LC_TERMINAL: "iTerm2" }],
    ["iterm", { TERM: "xterm-256color", TERM_PROGRAM: "WezTerm" }],
    ["ask", { TERM: "xterm-256color", TERM_PROGRAM: "vscode" }],
    ["ask", { TERM: "foot" }],
    ["ask", { TERM: "tmux-256color", KITTY_WINDOW_ID: "1", TMUX: "/tmp/tmux-0/default,1,0" }],
    ["ask", { TERM: "screen", TERM_PROGRAM: "iTerm.app", STY: "1.pts-0" }],
    ["path", { TERM: "dumb", KITTY_WINDOW_ID: "1" }],
    ["path", { TERM: "xterm-kitty", CI: "true" }],
    ["sixel", { TERM: "xterm-kitty", MILLRACE_IMAGES: "sixel" }],
    ["off", { TERM: "xterm-kitty", MILLRACE_IMAGES: "off" }],
    ["kitty", { TERM: "xterm-kitty", MILLRACE_IMAGES: "nonsense" }],
  ])("is %s for %j", (expected, env) => {
    expect(imageProtocol(live, env)).toBe(expected)
  })

  test("what the user asks for goes before the variables, and a log gets no escape codes in any case", () => {
    const all: ReadonlyArray<ImageProtocol> = ["kitty", "iterm", "sixel", "path"]
    for (const wanted of all) {
      expect(imageProtocol(live, { TERM: "xterm", MILLRACE_IMAGES: "off" }, wanted)).toBe(wanted)
      expect(imageProtocol(log, { TERM: "xterm-kitty", MILLRACE_IMAGES: wanted }, wanted)).toBe("path")
    }
    expect(imageProtocol(log, {}, "off")).toBe("off")
  })
})

/** A terminal that answers when it is asked, or not at all. */
const asked = async (reply: (type: (text: string) => void) => void, limitMs = 1000, isTTY = true) => {
  const listeners = new Set<(bytes: Uint8Array | string) => void>()
  const modes: Array<boolean> = []
  const written: Array<string> = []
  let flowing = false
  const keyboard: Keyboard = {
    isTTY,
    isRaw: false,
    setRawMode: (raw) => modes.push(raw),
    on: (_, listener) => listeners.add(listener),
    off: (_, listener) => listeners.delete(listener),
    resume: () => {
      flowing = true
    },
    pause: () => {
      flowing = false
    },
  }
  const type = (text: string) => {
    for (const listener of [...listeners]) listener(Buffer.from(text))
  }
  const screen = {
    isTTY,
    write: (text: string) => {
      written.push(text)
      reply(type)
    },
  }
  const answer = await Effect.runPromise(asksSixel(screen, keyboard, limitMs))
  return { answer, modes, written: written.join(""), flowing, listeners: listeners.size }
}

describe("a terminal that is asked for sixels", () => {
  const restored = { modes: [true, false], written: `${esc}[c`, flowing: false, listeners: 0 }

  test.each([
    [true, `${esc}[?62;4;22c`],
    [true, `${esc}[?64;1;2;4c`],
    [false, `${esc}[?62;22c`],
    [false, `${esc}[?4c`],
    [false, `${esc}[?1;2c`],
    [false, `${esc}[?62;14;44c`],
  ])("says %j by %j", async (expected, text) => {
    expect(await asked((type) => type(text))).toEqual({ answer: expected, ...restored })
  })

  test("may answer in pieces, between keys that are typed", async () => {
    const pieces = ["x", esc, "[?6", "2;4", "c", "y"]
    expect(await asked((type) => pieces.forEach(type))).toEqual({ answer: true, ...restored })
  })

  test("that never answers is waited for no longer than the limit, and left as it was", async () => {
    const start = performance.now()
    expect(await asked(() => undefined, 60)).toEqual({ answer: false, ...restored })
    expect(performance.now() - start).toBeLessThan(1500)
  })

  test("is not asked where there is no terminal", async () => {
    const { answer, written, modes } = await asked((type) => type(`${esc}[?62;4c`), 60, false)
    expect({ answer, written, modes }).toEqual({ answer: false, written: "", modes: [] })
  })

  test("is left as it was when the run is stopped meanwhile", async () => {
    const modes: Array<boolean> = []
    const keyboard: Keyboard = {
      isTTY: true,
      setRawMode: (raw) => modes.push(raw),
      on: () => undefined,
      off: () => undefined,
      resume: () => undefined,
      pause: () => undefined,
    }
    const asking = asksSixel({ isTTY: true, write: () => true }, keyboard, 60_000)
    await Effect.runPromise(Effect.timeoutOption(asking, "30 millis"))
    expect(modes).toEqual([true, false])
  })
})

const grid = (given: Partial<Images> = {}): RunEvent => ({
  type: "stage.images",
  stage: "dvae",
  title: "Reconstructions",
  step: 0,
  file: "images/dvae/Reconstructions/000000.png",
  size: [8, 8],
  columns: 2,
  texts: ["a dog", "a cat", "", ""],
  columnNames: ["one", "two"],
  rowNames: ["original", "reconstruction"],
  ...given,
})

const at = (events: ReadonlyArray<readonly [seconds: number, event: RunEvent]>): ReadonlyArray<StampedEvent> =>
  events.map(([secondsSinceStart, event], sequence) => ({ ...event, sequence, secondsSinceStart }))

const begun: RunEvent = { type: "run.started", run: "r", graph: "g", stages: ["dvae"] }
const started: RunEvent = { type: "stage.started", stage: "dvae", node: "dvae.train@1" }
const ended: RunEvent = { type: "stage.ended", stage: "dvae", seconds: 1, digests: {} }

describe("grids in the view of a run", () => {
  const { png } = sheetOf(8, 8, 2, 4)

  test("one is a picture that decodes to its own tiles, with names and captions in words", () => {
    const lines = imagesText(grid() as Images, png, "kitty", 100) ?? []
    expect(lines.map((line) => (line.includes(esc) ? "  <picture>" : line))).toEqual([
      "",
      "  Reconstructions",
      "  <picture>",
      "  one · two",
      "  original: a dog · a cat",
      "  reconstruction",
      "",
    ])
    const decoded = decodePng(readKitty(lines[2]!.trimStart()).png)
    const meant = enlarge(png, { size: [8, 8], columns: 2, count: 4 }, { width: 784, height: 480 })
    expect(Uint8Array.from(decoded.data)).toEqual(meant?.data)
  })

  test("no word of a grid reaches the terminal as a control code", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const given = grid({
          title: text,
          texts: [text, `${esc}[2J`, bel, text],
          rowNames: [text],
          columnNames: [text],
        })
        const lines = imagesText(given as Images, png, "sixel", 60) ?? []
        const words = lines.filter((_, i) => i !== 2).join("")
        expect(words).not.toMatch(/\p{Cc}/u)
      }),
      { numRuns: 30 },
    )
  })

  test("a log names the newest file of a title every ten seconds at most, and the last when the stage ends", () => {
    const written: Array<string> = []
    const many = Array.from(
      { length: 100 },
      (_, i) => [i / 4, grid({ step: i, file: `images/dvae/R/${i}.png` })] as const,
    )
    showRun(from(at([[0, begun], [0, started], ...many, [25, ended]])), {
      screen: { write: (text) => written.push(text) },
      env: {},
      images: { protocol: "kitty", folder: () => "runs/r" },
    })
    const shown = written
      .join("")
      .split("\n")
      .filter((line) => line.includes("images:"))
    expect(shown).toEqual([0, 40, 80, 99].map((i) => `  dvae  images: runs/r/images/dvae/R/${i}.png`))
    expect(written.join("")).not.toContain(esc)
  })

  test("a terminal draws it, names the file where it cannot be read, and shows nothing where images are off", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-view-"))
    writeFileSync(join(folder, "grid.png"), png)
    const shown = (protocol: ImageProtocol, file: string): string => {
      const written: Array<string> = []
      const subscription = showRun(
        from(
          at([
            [0, begun],
            [0, started],
            [1, grid({ file })],
            [2, ended],
          ]),
        ),
        {
          screen: { isTTY: true, columns: 100, write: (text) => written.push(text) },
          env: {},
          images: { protocol, folder: () => folder },
        },
      )
      subscription.unsubscribe()
      return written.join("")
    }
    expect(shown("kitty", "grid.png")).toContain(`${esc}_Ga=T,f=100`)
    expect(shown("iterm", "grid.png")).toContain(`${esc}]1337;File=`)
    expect(shown("sixel", "grid.png")).toContain(`${esc}P0;1;q`)
    expect(shown("path", "grid.png")).toContain(`images: ${join(folder, "grid.png")}`)
    expect(shown("kitty", "other.png")).toContain(`images: ${join(folder, "other.png")}`)
    expect(shown("off", "grid.png")).not.toContain("png")
    rmSync(folder, { recursive: true })
  })
})
