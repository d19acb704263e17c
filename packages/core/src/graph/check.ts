/** The checks of a graph that need no sizes: names, levels, wires, shared parameters. */
import type { AxisNames } from "../axes.js"
import { BadConfig, DuplicateNode, UnknownWire } from "../errors.js"
import { canonicalJson } from "../json.js"
import type { Node } from "../node.js"
import { didYouMean } from "../suggest.js"
import { type Finding, failureOf } from "./findings.js"
import type { GraphPlan } from "./plan.js"
import { axesOfNode } from "./rename.js"
import type { Source } from "./wires.js"

const refused: ReadonlySet<string> = new Set(["constructor", "prototype"])
const isName = (name: string): boolean => /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && !refused.has(name)

/** @throws BadConfig for a malformed name, DuplicateNode for one used twice */
export const checkNames = (plan: GraphPlan): void => {
  const names = [...Object.keys(plan.inputs), ...plan.nodes.map(({ name }) => name)]
  const all = [...names, ...plan.outputs.wires.map(([name]) => name)]
  const bad = all.filter((name) => !isName(name))
  if (bad.length > 0 || plan.name === "") {
    throw new BadConfig({
      where: plan.name || "a graph",
      expected: "names of letters, digits, - and _, that begin with a letter",
      received: bad.length > 0 ? bad.map((name) => JSON.stringify(name)).join(", ") : "a graph without a name",
      fix: "rename it; a dot separates a node from its port, and `constructor` is refused",
    })
  }
  for (const [kind, list] of [
    ["node", names],
    ["output", plan.outputs.wires.map(([name]) => name)],
  ] as const) {
    const times = new Map<string, number>()
    for (const name of list) times.set(name, (times.get(name) ?? 0) + 1)
    const twice = [...times].filter(([, n]) => n > 1)
    if (twice.length === 0) continue
    throw new DuplicateNode({
      where: plan.name,
      expected: kind === "node" ? "every input and node under its own name" : "every output under its own name",
      received: twice.map(([name, n]) => `"${name}" ${n} times`).join(", "),
      fix:
        kind === "node" ? "give one of them a new name" : 'name the outputs: .output({ first: "a.x", second: "b.x" })',
    })
  }
}

/** The one level of a graph's nodes. @throws BadConfig where they differ */
export const levelOf = (plan: GraphPlan): "tensor" | "stage" => {
  const artifacts = Object.values(plan.inputs).some(({ dtype }) => dtype === "artifact")
  const level = plan.nodes[0]?.node.level ?? (artifacts ? "stage" : "tensor")
  const other = plan.nodes.find(({ node }) => node.level !== level)
  if (other === undefined) return level
  throw new BadConfig({
    where: `${plan.name} > ${other.name}`,
    expected: `a ${level} node, like "${plan.nodes[0]?.name}"`,
    received: `${other.node.type}@${other.node.version}, a ${other.node.level} node`,
    fix: "keep tensor nodes in a graph of their own and let a stage open it",
  })
}

/** Every in-port has a wire, and every wire exists. @throws UnknownWire with every one that does not */
export const checkWires = (plan: GraphPlan, sources: ReadonlyMap<string, Source>): void => {
  const known = [...sources.keys()]
  const found: Array<Finding> = []
  const check = (at: string, wire: unknown, expected: string): void => {
    if (typeof wire === "string" && sources.has(wire)) return
    const ports = typeof wire === "string" ? known.filter((name) => name.startsWith(`${wire}.`)) : []
    const received = wire === undefined ? "no wire" : JSON.stringify(wire)
    const fix =
      ports.length > 0 ? `choose its port: ${ports.map((p) => `"${p}"`).join(", ")}` : didYouMean(String(wire), known)
    found.push({ at, expected, received, fix: wire === undefined ? `wire it; ${didYouMean("", known)}` : fix })
  }
  for (const { name, node, wires } of plan.nodes) {
    const ports = Object.keys(node.in)
    for (const port of ports)
      check(`${name} > ${port}`, Object.hasOwn(wires, port) ? wires[port] : undefined, "a wire of the graph")
    for (const port of Object.keys(wires).filter((p) => !ports.includes(p))) {
      const has = ports.length === 0 ? "no in-ports" : `in-ports ${ports.map((p) => `"${p}"`).join(", ")}`
      found.push({
        at: name,
        expected: has,
        received: `a wire for "${port}"`,
        fix: `${port}: ${didYouMean(port, ports)}`,
      })
    }
  }
  if (plan.outputs.wires.length === 0) {
    found.push({
      at: "output",
      expected: "at least one output",
      received: "none",
      fix: `name a wire; ${didYouMean("", known)}`,
    })
  }
  for (const [name, wire] of plan.outputs.wires) check(`output ${name}`, wire, "a wire of the graph")
  if (found.length > 0) throw new UnknownWire(failureOf(plan.name, found))
}

/**
 * Why a node's axes cannot have these names, every reason: each must be an axis of the node, and no two may end up
 * with one name.
 */
export const whyNotNames = (node: Node, names: AxisNames): ReadonlyArray<Omit<Finding, "at">> => {
  const has = axesOfNode(node)
  const own = has.length === 0 ? "no axes to rename" : `axes of the node: ${has.join(", ")}`
  return Object.entries(names).flatMap(([axis, name]) => {
    if (!has.includes(axis)) {
      const fix = has.length === 0 ? "remove the option axes" : didYouMean(axis, has)
      return [{ expected: own, received: `a new name for "${axis}"`, fix }]
    }
    if (!/^[a-z][a-z0-9]*$/.test(name)) {
      const expected = "names of lower-case letters and digits, that begin with a letter"
      return [{ expected, received: `"${axis}" renamed to ${JSON.stringify(name)}`, fix: "choose a name such as n" }]
    }
    const other = has.find((one) => one !== axis && (Object.hasOwn(names, one) ? names[one] : one) === name)
    if (other === undefined) return []
    const kept = Object.hasOwn(names, other) ? `"${other}" too` : "which is another of its axes"
    const expected = "a name of its own for every axis of the node"
    const both = `give "${axis}" and "${other}" two names`
    const fix = Object.hasOwn(names, other) ? both : `choose another name for "${axis}", or rename "${other}" as well`
    return [{ expected, received: `"${axis}" renamed to "${name}", ${kept}`, fix }]
  })
}

/** Renamed axes keep apart what the node keeps apart. @throws BadConfig with every name that does not fit */
export const checkAxes = (plan: GraphPlan): void => {
  const found = plan.nodes.flatMap(({ name, node, axes }) =>
    whyNotNames(node, axes).map((why) => ({ at: name, ...why })),
  )
  if (found.length > 0) throw new BadConfig(failureOf(plan.name, found))
}

/** `shares` names a node of the same type and config that has its own parameters. @throws UnknownWire, BadConfig */
export const checkShares = (plan: GraphPlan): void => {
  const byName = new Map(plan.nodes.map((node) => [node.name, node]))
  for (const { name, node, shares } of plan.nodes) {
    if (shares === null) continue
    const where = `${plan.name} > ${name}`
    const owner = byName.get(shares)
    if (owner === undefined || owner.name === name) {
      const others = [...byName.keys()].filter((other) => other !== name)
      throw new UnknownWire({
        where,
        expected: "shares: a node of this graph",
        received: JSON.stringify(shares),
        fix: didYouMean(shares, others),
      })
    }
    const own = `${owner.node.type}@${owner.node.version}`
    const mine = `${node.type}@${node.version}`
    if (node.level !== "tensor" || owner.shares !== null || own !== mine) {
      const why = owner.shares !== null ? `"${shares}", which itself shares "${owner.shares}"` : `"${shares}", ${own}`
      throw new BadConfig({
        where,
        expected: node.level === "tensor" ? `a node of type ${mine} with parameters of its own` : "a tensor node",
        received: node.level === "tensor" ? why : `${mine}, a stage node`,
        fix:
          node.level !== "tensor"
            ? "stages have no parameters: remove shares"
            : owner.shares !== null
              ? `share "${owner.shares}"`
              : "share a node of the same type and version",
      })
    }
    if (canonicalJson(owner.node.config) !== canonicalJson(node.config)) {
      throw new BadConfig({
        where,
        expected: `the config of "${shares}": ${canonicalJson(owner.node.config)}`,
        received: canonicalJson(node.config),
        fix: "give both nodes one config",
      })
    }
  }
}
