/** Laws of graphs as data, over random graphs: read, written, hashed, nested, drawn. */
import "@tensorflow/tfjs-backend-cpu"
import {
  decodeGraph,
  encodeGraph,
  type Graph,
  type GraphJson,
  type GraphNodeJson,
  graphHash,
  initParams,
  keyFromSeed,
  objectiveOf,
  registry,
  toMermaid,
  toSvg,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Exit } from "effect"
import fc from "fast-check"
import { beforeAll, expect, test } from "vitest"
import { types } from "./graphNodes.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const width = 3
const x = { dtype: "float32", axes: "b d", unit: "" } as const

/** One random step: which type, which earlier wires (as fractions), a number for its config, whether it is frozen. */
const step = fc.record({
  type: fc.constantFrom("scale", "add", "bias", "extremes"),
  from: fc.tuple(fc.nat(999), fc.nat(999)),
  factor: fc.double({ min: -2, max: 2, noNaN: true }),
  frozen: fc.boolean(),
})

/** A random valid graph over float32 [b d], as JSON. */
const graphJson: fc.Arbitrary<GraphJson> = fc.array(step, { minLength: 2, maxLength: 12 }).map((steps) => {
  const wires = ["x", "y"]
  const nodes = steps.map(({ type, from, factor, frozen }, i): GraphNodeJson => {
    const name = `n${i}`
    const [a, b] = from.map((n) => wires[n % wires.length]!) as [string, string]
    wires.push(...(type === "extremes" ? [`${name}.low`, `${name}.high`] : [name]))
    const node = { name, node: `test.${type}@${type === "extremes" ? 2 : 1}`, ...(frozen ? { frozen } : {}) }
    if (type === "add") return { ...node, config: {}, wires: { a, b } }
    const config = type === "scale" ? { factor: factor === 0 ? 1 : factor } : type === "bias" ? { width } : {}
    return { ...node, config, wires: { x: a } }
  })
  return { name: "random", inputs: { x, y: x }, nodes, outputs: { last: wires.at(-1)!, other: wires.at(-2)! } }
})

const decode = (json: unknown): Graph => Effect.runSync(decodeGraph(json, types))

/** The same value with the keys of every record in another order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

const run = (graph: Graph): Record<string, ReadonlyArray<number>> => {
  const { paramSpecs, apply } = objectiveOf(graph)
  // A parameter starts the same wherever its node is nested: only the last two parts of its name count here.
  const specs = Object.fromEntries(
    Object.entries(paramSpecs).map(([name, spec]) => [name.replace(/^inner\./, ""), spec]),
  )
  const start = initParams(specs, keyFromSeed(7))
  const params = Object.fromEntries(
    Object.keys(paramSpecs).map((name) => {
      const { data, shape } = start[name.replace(/^inner\./, "")]!
      return [name, tf.tensor(data, [...shape])]
    }),
  )
  const a = tf.tensor2d([1, -2, 3, 0.5, 5, -6], [2, width])
  const b = tf.tensor2d([0, 1, -1, 2, 0.25, 4], [2, width])
  const outputs = apply(params, { x: a, y: b })
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, [...tensor.dataSync()]]))
}

test("what is decoded encodes to the same data and the same hash", () => {
  fc.assert(
    fc.property(graphJson, (json) => {
      const graph = decode(json)
      const again = decode(JSON.parse(JSON.stringify(encodeGraph(graph))))
      expect(encodeGraph(graph)).toEqual(json)
      expect(encodeGraph(again)).toEqual(json)
      expect(graphHash(again)).toBe(graphHash(graph))
    }),
  )
})

test("the hash depends neither on the order of keys nor on that of nodes, and the numbers do not either", () => {
  fc.assert(
    fc.property(graphJson, (json) => {
      const graph = decode(json)
      const other = decode({ ...(reversed(json) as GraphJson), nodes: [...json.nodes].reverse() })
      expect(graphHash(other)).toBe(graphHash(graph))
      expect(run(other)).toEqual(run(graph))
    }),
    { numRuns: 30 },
  )
})

test("the hash changes with any config, option, name or wire", () => {
  fc.assert(
    fc.property(graphJson, fc.nat(999), (json, n) => {
      const hash = graphHash(decode(json))
      const at = n % json.nodes.length
      const change = (edit: (node: GraphNodeJson) => GraphNodeJson): string =>
        graphHash(decode({ ...json, nodes: json.nodes.map((node, i) => (i === at ? edit(node) : node)) }))
      const node = json.nodes[at]!
      const { frozen, ...thawed } = node
      expect(change(() => (frozen ? thawed : { ...thawed, frozen: true }))).not.toBe(hash)
      const { factor } = node.config as { factor?: number }
      if (factor !== undefined) expect(change(() => ({ ...node, config: { factor: factor + 1 } }))).not.toBe(hash)
      const port = Object.keys(node.wires)[0]!
      const wire = node.wires[port] === "x" ? "y" : "x"
      expect(change(() => ({ ...node, wires: { ...node.wires, [port]: wire } }))).not.toBe(hash)
      expect(graphHash(decode({ ...json, name: "renamed" }))).not.toBe(hash)
      expect(graphHash(decode({ ...json, outputs: { last: "x", other: "y" } }))).not.toBe(hash)
    }),
  )
})

/** Other names for both axes of every node; some change a name for the other's. */
const names = fc.constantFrom({ b: "n", d: "k" }, { b: "d", d: "b" }, { b: "n" }, { d: "k2" })

/** The graph under other names of all axes, inputs and nodes alike. */
const rename = (json: GraphJson, axes: Readonly<Record<string, string>>): GraphJson => {
  const port = { ...x, axes: `${axes.b ?? "b"} ${axes.d ?? "d"}` }
  return { ...json, inputs: { x: port, y: port }, nodes: json.nodes.map((node) => ({ ...node, axes })) }
}

test("axes under other names change the hash and no number, and are written and read as they are", () => {
  fc.assert(
    fc.property(graphJson, names, (json, axes) => {
      const [plain, renamed] = [decode(json), decode(rename(json, axes))]
      expect(run(renamed)).toEqual(run(plain))
      expect(graphHash(renamed)).not.toBe(graphHash(plain))
      expect(encodeGraph(renamed)).toEqual(rename(json, axes))
      const last = Object.values(renamed.out)[0] as { readonly axes: string }
      expect(last.axes).toBe(`${axes.b ?? "b"} ${axes.d ?? "d"}`)
    }),
    { numRuns: 40 },
  )
})

test("axes renamed to their own names are not renamed at all", () => {
  fc.assert(
    fc.property(graphJson, fc.constantFrom({ b: "b" }, { d: "d", b: "b" }, {}), (json, axes) => {
      expect(encodeGraph(decode(rename(json, axes)))).toEqual(json)
    }),
    { numRuns: 20 },
  )
})

test("a nested graph under other names of its axes computes the same numbers", () => {
  fc.assert(
    fc.property(graphJson, names, (json, axes) => {
      const outer = (given: Readonly<Record<string, string>>): GraphJson => {
        const { inputs } = rename(json, given)
        const box = { name: "inner", graph: { ...json, name: "inner" }, wires: { x: "x", y: "y" }, axes: given }
        return { name: "outer", inputs, nodes: [box], outputs: { last: "inner.last", other: "inner.other" } }
      }
      expect(run(decode(outer(axes)))).toEqual(run(decode(outer({}))))
    }),
    { numRuns: 25 },
  )
})

/** The graph with its nodes from `first` to `last` moved into a graph of their own. */
const nest = (json: GraphJson, first: number, last: number): GraphJson => {
  const inside = json.nodes.slice(first, last + 1)
  const names = new Set(inside.map(({ name }) => name))
  const isInside = (wire: string): boolean => names.has(wire.split(".")[0]!)
  const outside = json.nodes.filter(({ name }) => !names.has(name))
  const outer = json.outputs as Readonly<Record<string, string>>
  const needed = [...outside.flatMap(({ wires }) => Object.values(wires)), ...Object.values(outer)].filter(isInside)
  const given = inside.flatMap(({ wires }) => Object.values(wires)).filter((wire) => !isInside(wire))
  const flat = (wire: string): string => wire.replace(".", "-")
  const through = (wire: string): string => (isInside(wire) ? `inner.${flat(wire)}` : wire)
  const renamed = (wires: Readonly<Record<string, string>>, to: (wire: string) => string) =>
    Object.fromEntries(Object.entries(wires).map(([port, wire]) => [port, to(wire)]))
  const inner: GraphJson = {
    name: "inner",
    inputs: Object.fromEntries(given.map((wire) => [`in-${flat(wire)}`, x])),
    nodes: inside.map((node) => ({
      ...node,
      wires: renamed(node.wires, (wire) => (isInside(wire) ? wire : `in-${flat(wire)}`)),
    })),
    outputs: Object.fromEntries((needed.length > 0 ? needed : [lastWire(inside)]).map((wire) => [flat(wire), wire])),
  }
  const box: GraphNodeJson = {
    name: "inner",
    graph: inner,
    wires: Object.fromEntries(given.map((wire) => [`in-${flat(wire)}`, wire])),
  }
  const nodes = outside.map((node) => ({ ...node, wires: renamed(node.wires, through) }))
  return { ...json, nodes: [...nodes, box], outputs: renamed(outer, through) }
}

const lastWire = (nodes: ReadonlyArray<GraphNodeJson>): string => {
  const { name, node } = nodes.at(-1)!
  return node === "test.extremes@2" ? `${name}.low` : name
}

test("a part moved into a nested graph computes the same numbers from the same parameters", () => {
  fc.assert(
    fc.property(graphJson, fc.nat(999), fc.nat(999), (json, a, b) => {
      const [first, last] = [a % json.nodes.length, b % json.nodes.length].sort((m, n) => m - n) as [number, number]
      const nested = decode(nest(json, first, last))
      expect(run(nested)).toEqual(run(decode(json)))
      expect(encodeGraph(decode(encodeGraph(nested)))).toEqual(encodeGraph(nested))
    }),
    { numRuns: 40 },
  )
})

test("no JSON makes the reader fail with anything but a typed error of five fields", () => {
  const broken = fc.oneof(
    fc.jsonValue({ maxDepth: 6 }),
    fc.tuple(graphJson, fc.nat(999), fc.jsonValue()).map(([json, n, value]) => {
      const keys = ["name", "inputs", "nodes", "outputs", "sizes"]
      return { ...json, [keys[n % keys.length]!]: value }
    }),
    fc.tuple(graphJson, fc.nat(999), fc.string(), fc.jsonValue()).map(([json, n, key, value]) => {
      const at = n % json.nodes.length
      return { ...json, nodes: json.nodes.map((node, i) => (i === at ? { ...node, [key]: value } : node)) }
    }),
  )
  fc.assert(
    fc.property(broken, (json) => {
      const exit = Effect.runSyncExit(Effect.result(decodeGraph(json, types)))
      expect(Exit.isSuccess(exit)).toBe(true)
      if (Exit.isSuccess(exit) && exit.value._tag === "Failure") {
        const { where, expected, received, fix, message } = exit.value.failure
        expect([where, expected, received, fix].every((text) => typeof text === "string")).toBe(true)
        expect(message.split("\n").length).toBeLessThan(80)
      }
    }),
    { numRuns: 150 },
  )
})

test("a graph that names a type is refused by a registry without it", () => {
  fc.assert(
    fc.property(graphJson, (json) => {
      const error = Effect.runSync(Effect.flip(decodeGraph(json, registry([]))))
      expect(error._tag).toBe("UnknownNode")
    }),
    { numRuns: 10 },
  )
})

test("every node and arrow of a graph is drawn, inside of the picture", () => {
  fc.assert(
    fc.property(graphJson, fc.nat(999), (json, n) => {
      const graph = decode(nest(json, n % json.nodes.length, json.nodes.length - 1))
      const svg = toSvg(graph)
      expect(svg).not.toMatch(/NaN|undefined|Infinity/)
      for (const { name } of json.nodes) expect(svg).toContain(`>${name}</text>`)
      const [, w, h] = svg.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/)!.map(Number) as [number, number, number]
      const frames = [
        ...svg.matchAll(
          /translate\((-?[\d.]+) (-?[\d.]+)\)"><title>[^<]*<\/title><rect class="mg-frame" width="([\d.]+)" height="([\d.]+)"/g,
        ),
      ]
      expect(frames).toHaveLength(json.nodes.length + 4)
      const boxes = frames.map(([, ...numbers]) => numbers.map(Number) as [number, number, number, number])
      for (const [left, top, bw, bh] of boxes) {
        expect(left >= 0 && top >= 0 && left + bw <= w && top + bh <= h).toBe(true)
        const over = boxes.filter(([l, t, ow, oh]) => l < left + bw && left < l + ow && t < top + bh && top < t + oh)
        expect(over).toHaveLength(1)
      }
      expect(toMermaid(graph).match(/-->/g)!.length).toBe(svg.match(/class="mg-arrow"/g)!.length)
    }),
    { numRuns: 25 },
  )
})
