import { createHash } from "node:crypto"
import { Script } from "node:vm"
import {
  graphFactsOfJson,
  type RunEvent,
  renderReport,
  type StampedEvent,
  showColumn,
  showNumber,
  showSeconds,
  storyOf,
} from "@millrace/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { recordedEnvironment, recordedEvents, recordedGraph } from "../fixtures/recordedRun.js"

const stamp = (events: ReadonlyArray<RunEvent>): ReadonlyArray<StampedEvent> =>
  events.map((event, sequence) => ({ ...event, sequence, secondsSinceStart: sequence }))

const report = (
  events: ReadonlyArray<StampedEvent> = recordedEvents,
  name = "instructgpt",
  graph = recordedGraph(name),
): string =>
  renderReport({
    graph: graphFactsOfJson(graph),
    story: storyOf(events),
    seed: "7",
    environment: { ...recordedEnvironment, name },
    command: `millrace run ${name}`,
  })

/** Everything of a page that is markup: the raw text of script and style elements is taken out. */
const markupOf = (page: string): string => page.replace(/(<(script|style)[^>]*>)[\s\S]*?(<\/\2>)/g, "$1$3")

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "<script>alert(1)</script>",
        "</script>",
        "</title><svg onload=alert(1)>",
        "\"'><img src=x onerror=alert(1)>",
        "<!--",
        "-->",
        "]]>",
        "<style>",
        "</style>",
        "javascript:alert(1)",
        "\u2028",
        "\u202e",
        "$&",
        "__proto__",
        "\0",
      ),
      fc.string(),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(""))

describe("the report", () => {
  test("nothing that a run says becomes markup", () => {
    const shapeOf = (page: string): ReadonlyArray<string> =>
      [...markupOf(page).matchAll(/<\/?[a-z!](?:[^>"]|"[^"]*")*>/gi)]
        .map(([tag]) => tag.replace(/"[^"]*"/g, '""'))
        // Numbers stand to the right, and where a name may break depends on the name.
        .map((tag) => tag.replaceAll(' class=""', ""))
        .filter((tag) => tag !== "<wbr>")
    const events = (text: string, stage: string): ReadonlyArray<StampedEvent> =>
      stamp([
        { type: "run.started", run: text, graph: text, stages: [stage] },
        { type: "stage.started", stage, node: text, steps: 1 },
        { type: "stage.step", stage, step: 1, steps: 1, values: { [text]: 1 }, amount: 1, unit: text },
        { type: "stage.samples", stage, columns: [text], rows: [[text]] },
        { type: "stage.table", stage, title: text, columns: [text], rows: [[text], [1]] },
        { type: "stage.note", stage, text },
        { type: "stage.ended", stage, seconds: 1, digests: { [text]: text } },
        { type: "stage.failed", stage, error: text },
        { type: "run.ended", run: text, seconds: 1, status: "failed" },
      ])
    // A graph's names have no dots: a dot is what takes a port out of a node.
    const shape = (text: string): ReadonlyArray<string> => {
      const rename = (name: string): string => `${text.replaceAll(".", "·")}${name}`
      return shapeOf(report(events(text, rename("pretrain")), text, recordedGraph(text, rename)))
    }
    const plain = shape("plain")
    fc.assert(
      fc.property(hostile, (text) => {
        expect(shape(text)).toEqual(plain)
      }),
      { numRuns: 150 },
    )
  })

  test("the data of the curves comes back as it was, whatever the names", () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, fc.integer(), { maxKeys: 4 }), (values) => {
        const events = stamp([{ type: "stage.step", stage: "s", step: 1, steps: 1, values, amount: 1, unit: "x" }])
        const data = /<script type="application\/json" id="curves">(.*?)<\/script>/s.exec(report(events))?.[1] ?? ""
        const drawn = new Map(Object.entries(JSON.parse(data)[0].values))
        expect(drawn).toEqual(
          new Map(Object.entries(values).map(([name, value]) => [name, [Number(value.toPrecision(5))]])),
        )
      }),
      { numRuns: 100 },
    )
  })

  test("its policy allows its own scripts and styles, by hash, and nothing else", () => {
    const page = report()
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? ""
    const hashes = (directive: string): ReadonlyArray<string> =>
      [...(new RegExp(`${directive} ([^;]*)`).exec(policy)?.[1] ?? "").matchAll(/'sha256-([^']+)'/g)].map(([, h]) => h!)
    const contents = (element: RegExp): ReadonlyArray<string> =>
      [...page.matchAll(element)].map(([, text]) => createHash("sha256").update(text!).digest("base64"))
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).not.toContain("unsafe")
    expect(contents(/<script>([\s\S]*?)<\/script>/g)).toEqual(hashes("script-src"))
    expect(contents(/<style>([\s\S]*?)<\/style>/g).toSorted()).toEqual([...hashes("style-src")].sort())
    expect(hashes("script-src")).toHaveLength(5)
    expect(hashes("style-src")).toHaveLength(1)
    expect(markupOf(page)).not.toMatch(/\sstyle=|\son\w+=|javascript:/i)
  })

  test("its scripts are whole: each one parses", () => {
    const scripts = [...report().matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)
    expect(scripts).toHaveLength(5)
    for (const text of scripts) expect(() => new Script(text)).not.toThrow()
  })

  test("it names no address of the network, and loads nothing", () => {
    const page = report()
    expect(page).not.toMatch(/https?:\/\//)
    expect(page).not.toMatch(/\s(?:src|data|action|poster|srcset)=|@import|url\((?!#)/)
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, target]) => target!.startsWith("#"))).toBe(true)
  })

  test("every link inside leads somewhere, and no two elements share an id", () => {
    const page = markupOf(report())
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target)
  })

  test("it is equal for equal runs, and below 1 MB for a run of a hundred thousand steps of ten values", () => {
    expect(report()).toBe(report())
    const values = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`value-${i}`, 1 / (i + 3)]))
    const events = Array.from({ length: 5 }, (_, s) =>
      Array.from(
        { length: 20_000 },
        (_, i): RunEvent => ({
          type: "stage.step",
          stage: `s${s}`,
          step: i + 1,
          steps: 20_000,
          values,
          amount: 1,
          unit: "x",
        }),
      ),
    )
    const page = report(stamp(events.flat()))
    expect(page.length).toBeLessThan(1e6)
    const data = /<script type="application\/json" id="curves">(.*?)<\/script>/s.exec(page)?.[1] ?? "[]"
    for (const { steps } of JSON.parse(data)) {
      expect(steps.length).toBeGreaterThan(200)
      expect(steps.at(-1)).toBeGreaterThan(19_900)
    }
  })
})

describe("the story", () => {
  test("it does not grow with the number of steps, and keeps the first and the last", () => {
    const steps = (n: number) =>
      stamp(
        Array.from(
          { length: n },
          (_, i): RunEvent => ({
            type: "stage.step",
            stage: "s",
            step: i + 1,
            steps: n,
            values: { loss: i },
            amount: 2,
            unit: "x",
          }),
        ),
      )
    for (const n of [1, 10, 2048, 5000, 50_000]) {
      const stage = storyOf(steps(n)).stages.get("s")
      expect(stage?.points.length).toBeLessThanOrEqual(2048)
      expect(stage?.points.length).toBeGreaterThanOrEqual(Math.min(n, 1000))
      expect(stage?.last).toEqual({ loss: n - 1 })
      expect(stage?.amount).toBe(2 * n)
    }
  })

  test("a step whose loss is no number is counted and left out of the curve", () => {
    const ppo = storyOf(recordedEvents).stages.get("ppo")
    expect(ppo?.nonFinite).toBe(1)
    expect(report()).toContain("1 step with a value that is not finite")
  })
})

describe("numbers for people", () => {
  test("four digits, and words for what is no number", () => {
    const shown = [0, 1, -2.5, 1234567, 0.031249, Math.PI, 1e-7, -2e12, Number.NaN, Number.NEGATIVE_INFINITY, 1234.5]
    expect(shown.map(showNumber).join(" | ")).toMatchInlineSnapshot(
      `"0 | 1 | −2.5 | 1,234,567 | 0.03125 | 3.142 | 1e−7 | −2e12 | NaN | −∞ | 1,235"`,
    )
  })

  test("a shown number is within half a unit of its fourth digit", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), (value) => {
        const back = Number(showNumber(value).replaceAll(",", "").replaceAll("−", "-"))
        expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.abs(value) * 5.01e-3)
      }),
    )
  })

  test("the numbers of a column have the same decimals", () => {
    expect(showColumn([0.5, 0.121, 0.8711, 0])).toEqual(["0.5000", "0.1210", "0.8711", "0.0000"])
    expect(showColumn([4.213, 0, 8.74])).toEqual(["4.213", "0.000", "8.740"])
    expect(showColumn([4096, 512])).toEqual(["4,096", "512"])
    expect(showColumn([1, Number.NaN, -2.25])).toEqual(["1.00", "NaN", "−2.25"])
  })

  test("durations grow units as they need them", () => {
    expect([0.0004, 0.83, 9.94, 12.3, 59.7, 185, 7620].map(showSeconds).join(" | ")).toMatchInlineSnapshot(
      `"0 ms | 830 ms | 9.9 s | 12 s | 1 min 00 s | 3 min 05 s | 2 h 07 min"`,
    )
  })
})
