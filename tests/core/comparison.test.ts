/** Two runs compared: what differs is told, all of it and nothing else. */
import { createHash } from "node:crypto"
import { Script } from "node:vm"
import {
  diffRuns,
  type GraphJson,
  type RunMetric,
  renderComparison,
  type ShownRun,
  type StageDifference,
  type StampedEvent,
  storyOf,
} from "@millrace/core"
import { differenceText } from "@millrace/core/runs"
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
  readonly engine?: string
  readonly metrics?: ReadonlyArray<RunMetric>
  readonly until?: number
}

const run = ({ seed = "7", steps = {}, other = [], environment = {}, until, ...rest }: Change = {}): ShownRun => {
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
    graph: json.name,
    nodes: { ...json, nodes },
    engine: "onnx",
    metrics: [],
    ...rest,
    story: storyOf(events),
    seed,
    environment: { ...recordedEnvironment, ...environment },
  }
}

const names = [...storyOf(recordedEvents).stages.keys()]
const verdicts = (stages: ReadonlyArray<StageDifference>, verdict: StageDifference["verdict"]): ReadonlyArray<string> =>
  stages.filter((stage) => stage.verdict === verdict).map(({ stage }) => stage)
const wordsOf = (page: string): string => /class="verdict"[^>]*>([^<]*)</.exec(page)?.[1] ?? ""

test("a run does not differ from itself, whenever it began", () => {
  const later = run({ environment: { startedAt: "2027-01-01T00:00:00.000Z" } })
  const { stages, ...rest } = diffRuns(run(), later)
  expect(rest).toEqual({ run: [], graph: [], environment: [], metrics: [], equalMetrics: 0 })
  expect(verdicts(stages, "same")).toEqual(names)
  expect(wordsOf(renderComparison(run(), later))).toBe(
    `Nothing that decides a run differs.\nNo digest differs in ${names.length} stages; 0 numbers differ.`,
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
      const told = diffRuns(a, b)
      expect(told.run).toEqual(seed === "7" ? [] : [{ what: "seed", a: "7", b: "8" }])
      expect(Object.fromEntries(told.graph.map(({ what, b }) => [what, b]))).toEqual(
        Object.fromEntries(Object.entries(steps).map(([name, count]) => [`${name}.steps`, count])),
      )
      expect(told.environment.map(({ what }) => what)).toEqual(node === "20.20.0" ? [] : ["node"])
      expect([...verdicts(told.stages, "different")].sort()).toEqual([...other].sort())
      const first = names.find((name) => other.includes(name))
      expect(differenceText(told)).toContain(first === undefined ? "No digest differs" : `first ${first};`)
      const back = diffRuns(b, a)
      expect(back.graph.map(({ what, a, b }) => ({ what, a: b, b: a }))).toEqual(told.graph)
      expect(verdicts(back.stages, "different")).toEqual(verdicts(told.stages, "different"))
    }),
    { numRuns: 60 },
  )
})

test("a stage that did not end in one of them is neither equal nor different", () => {
  const { stages } = diffRuns(run(), run({ until: 10 }))
  expect(verdicts(stages, "open")).toEqual(names)
  expect(wordsOf(renderComparison(run(), run({ until: 10 })))).toContain("No stage ended in both")
})

test("a stage that ended in both with other ports is different, whichever of them has more", () => {
  const whole = run()
  const stages = new Map(whole.story.stages)
  stages.set("sft", { ...stages.get("sft")!, digests: { ...stages.get("sft")!.digests, more: "f".repeat(64) } })
  const more = { ...whole, story: { ...whole.story, stages } }
  expect(verdicts(diffRuns(whole, more).stages, "different")).toEqual(["sft"])
  expect(verdicts(diffRuns(more, whole).stages, "different")).toEqual(["sft"])
})

test("another engine, or version of it, decides a run, and is told once", () => {
  const told = diffRuns(
    run({ environment: { backend: "onnx" } }),
    run({ engine: "tfjs:cpu", environment: { backend: "tfjs:cpu", engine: "tfjs 4.22.0 cpu" } }),
  )
  expect(told.run).toEqual([
    { what: "engine", a: `onnx (${recordedEnvironment.engine})`, b: "tfjs:cpu (tfjs 4.22.0 cpu)" },
  ])
  expect(told.environment).toEqual([])
})

test("whatever the file of a graph says, in nested graphs too, is compared", () => {
  const inner = { name: "inner", inputs: {}, nodes: [{ name: "leaf", node: "n@1", wires: {} }], outputs: "leaf" }
  const outer = (own: Partial<GraphJson>, nested: Partial<GraphJson> = {}): ShownRun => ({
    ...run(),
    nodes: {
      name: "outer",
      inputs: {},
      nodes: [{ name: "deep", graph: { ...inner, ...nested }, wires: { x: "y" } }],
      outputs: "deep",
      ...own,
    },
  })
  const told = (b: ShownRun) => diffRuns(outer({}), b).graph.map(({ what }) => what)
  expect(told(outer({}))).toEqual([])
  expect(told(outer({ outputs: { all: "deep" } }))).toEqual(["(outputs)"])
  expect(told(outer({ sizes: { b: 2 } }))).toEqual(["(sizes)"])
  expect(told(outer({}, { outputs: "other" }))).toEqual(["deep (outputs)"])
  expect(told(outer({}, { nodes: [{ ...inner.nodes[0]!, node: "n@2" }] }))).toEqual(["deep.leaf (node)"])
  expect(told(outer({}, { nodes: [{ ...inner.nodes[0]!, wires: { x: "z" } }] }))).toEqual(["deep.leaf (wires).x"])
  expect(told(outer({}, { nodes: [] }))).toEqual(["deep.leaf"])
  expect(told({ ...run(), nodes: undefined })).toEqual(["all of it", "deep", "deep.leaf"])
})

test("numbers that differ are told, and those that do not are counted: NaN is equal to itself, and a missing one to none", () => {
  const metrics = (...values: ReadonlyArray<number>): ReadonlyArray<RunMetric> =>
    values.map((value, i) => ({ stage: "s", name: `n${i}`, value }))
  const [a, b] = [run({ metrics: metrics(1, Number.NaN, 2) }), run({ metrics: metrics(1, Number.NaN, 3, 4) })]
  expect(diffRuns(a, b)).toMatchObject({
    equalMetrics: 2,
    metrics: [
      { stage: "s", name: "n2", a: 2, b: 3 },
      { stage: "s", name: "n3", a: undefined, b: 4 },
    ],
  })
  const page = renderComparison(a, b)
  expect(page).toContain("Numbers that differ; 2 are the same")
  expect(page).toMatch(/s: n3<.th><td class="accent"><span class="soft">–</)
})

test("cells of a table that differ have both values, rows of one run alone have a dash for the other", () => {
  const table = (rows: ReadonlyArray<ReadonlyArray<string | number>>): ShownRun => ({
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
