/** Two runs compared: what differs is told, all of it and nothing else. */
import { createHash } from "node:crypto"
import { Script } from "node:vm"
import {
  type ComparedStage,
  compareRuns,
  graphFactsOfJson,
  type ReportInput,
  renderComparison,
  type StampedEvent,
  storyOf,
} from "@millrace/core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { recordedEnvironment, recordedEvents, recordedGraph } from "../fixtures/recordedRun.js"

interface Change {
  readonly seed?: string
  /** Stage -> steps in its config. */
  readonly steps?: Readonly<Record<string, number>>
  /** Stages whose digests are others. */
  readonly other?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, unknown>>
  readonly until?: number
}

const run = ({ seed = "7", steps = {}, other = [], environment = {}, until }: Change = {}): ReportInput => {
  const json = recordedGraph()
  const nodes = json.nodes.map((node) =>
    steps[node.name] === undefined
      ? node
      : { ...node, config: { ...(node.config as object), steps: steps[node.name] } },
  )
  const events = recordedEvents.slice(0, until).map((event): StampedEvent => {
    if (event.type !== "stage.ended" || !other.includes(event.stage)) return event
    return { ...event, digests: Object.fromEntries(Object.keys(event.digests).map((port) => [port, "f".repeat(64)])) }
  })
  return {
    graph: graphFactsOfJson({ ...json, nodes }),
    story: storyOf(events),
    seed,
    environment: { ...recordedEnvironment, ...environment },
  }
}

const names = [...storyOf(recordedEvents).stages.keys()]
const verdicts = (stages: ReadonlyArray<ComparedStage>, verdict: ComparedStage["verdict"]): ReadonlyArray<string> =>
  stages.filter((stage) => stage.verdict === verdict).map(({ name }) => name)
const wordsOf = (page: string): string => /class="verdict"[^>]*>([^<]*)</.exec(page)?.[1] ?? ""

test("a run does not differ from itself, whenever it began", () => {
  const later = run({ environment: { startedAt: "2027-01-01T00:00:00.000Z" } })
  const { stages, ...rest } = compareRuns(run(), later)
  expect(rest).toEqual({ run: [], config: [], environment: [], first: undefined })
  expect(verdicts(stages, "equal")).toEqual(names)
  expect(wordsOf(renderComparison(run(), later))).toBe(
    "Graph, seed and engine are the same. Every digest that both have is equal.",
  )
})

test("exactly the changed values, seed, versions and digests are told, the same from both sides", () => {
  const changes = fc.record({
    seed: fc.constantFrom("7", "8"),
    steps: fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 1e6, max: 2e6 })),
    other: fc.uniqueArray(fc.constantFrom(...names)),
    node: fc.constantFrom("20.20.0", "22.1.0"),
  })
  fc.assert(
    fc.property(changes, ({ seed, steps, other, node }) => {
      const [a, b] = [run(), run({ seed, steps, other, environment: { node } })]
      const told = compareRuns(a, b)
      expect(told.run).toEqual(seed === "7" ? [] : [{ what: "seed", a: "7", b: "8" }])
      expect(told.config.map(({ what, b }) => [what, b]).sort()).toEqual(
        Object.entries(steps)
          .map(([name, count]) => [`${name}.steps`, String(count)])
          .sort(),
      )
      expect(told.environment.map(({ what }) => what)).toEqual(node === "20.20.0" ? [] : ["node"])
      expect([...verdicts(told.stages, "different")].sort()).toEqual([...other].sort())
      expect(told.first).toBe(names.find((name) => other.includes(name)))
      const back = compareRuns(b, a)
      expect(back.config.map(({ what, a, b }) => ({ what, a: b, b: a }))).toEqual(told.config)
      expect(verdicts(back.stages, "different")).toEqual(verdicts(told.stages, "different"))
    }),
    { numRuns: 60 },
  )
})

test("a stage that did not end in one of them is neither equal nor different", () => {
  const { stages } = compareRuns(run(), run({ until: 10 }))
  expect(verdicts(stages, "open")).toEqual(names)
  expect(wordsOf(renderComparison(run(), run({ until: 10 })))).toContain("no digest can be compared")
})

test("cells of a table that differ have both values, rows of one run alone have a dash for the other", () => {
  const table = (rows: ReadonlyArray<ReadonlyArray<string | number>>): ReportInput => ({
    ...run(),
    story: storyOf([
      { type: "stage.table", stage: "s", title: "T", columns: ["name", "x"], rows, sequence: 0, secondsSinceStart: 0 },
    ]),
  })
  const page = renderComparison(
    table([
      ["same", 1],
      ["moved", 2],
      ["gone", 5],
    ]),
    table([
      ["moved", 3],
      ["same", 1],
      ["new", 4],
    ]),
  )
  const rows = [...page.slice(page.indexOf("<h2>Results")).matchAll(/<tr>(<td.*?)<\/tr>/g)].map(([, row]) =>
    row!.replaceAll(/<\/t[dh]>/g, "|").replaceAll(/<[^>]*>/g, ""),
  )
  expect(rows).toEqual(["same|1|", "moved|A 2 B 3|", "A gone B –|A 5 B –|", "A – B new|A – B 4|"])
})

test("its policy allows its own scripts and style by hash, and no name or value becomes markup", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
  const b = { ...run({ environment: { [hostile]: hostile } }), seed: hostile }
  const page = renderComparison(run(), b)
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)
  const allowed = [...page.matchAll(/&#39;sha256-([^&]+)&#39;/g)].map(([, hash]) => hash)
  const hash = (text: string): string => createHash("sha256").update(text).digest("base64")
  for (const text of scripts) {
    expect(() => new Script(text)).not.toThrow()
    expect(allowed).toContain(hash(text))
  }
  const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => hash(text!))
  expect([...scripts.map(hash), ...styles].sort()).toEqual([...allowed].sort())
  expect(page).not.toMatch(/<img|alert\(1\)<\/script>/)
  expect(renderComparison(run(), b)).toBe(page)
})
