/**
 * Outlines: what the stages of a graph would run on tensors, known before anything runs. Where a run hands artifacts on,
 * an outline hands on their sizes alone.
 */
import { BadConfig } from "./errors.js"
import { type Graph, isGraph } from "./graph/parts.js"
import type { Subject } from "./profile/subject.js"

/** Numbers by name: `vocab`, `context`, `k`. */
export type Sizes = Readonly<Record<string, number>>

/** Sizes of what comes in at a port; what is not known is a BadConfig that says how to give it. */
export interface OutlineInputs {
  readonly size: (port: string, name: string) => number
  /** All that is known of what comes in at a port. */
  readonly sizes: (port: string) => Sizes
}

export interface Outline {
  /** Sizes of what the stage makes. */
  readonly sizes: Sizes
  /** What it calls, by name, the most important first; made when it is asked for. */
  readonly functions?: Readonly<Record<string, () => Subject>>
}

/** A stage in its place: `outer.inner`. */
export interface StageOutline {
  readonly stage: string
  /** Fails with a BadConfig where a size is missing. */
  readonly functions: () => Readonly<Record<string, () => Subject>>
}

/**
 * The outline of every stage that calls tensor functions.
 * @param given  sizes that no stage tells, or that are to replace what one does
 */
export const outlinesOf = (graph: Graph, given: Sizes = {}): ReadonlyArray<StageOutline> =>
  outline(graph, given, "", () => ({})).stages

/** Sizes of what a wire carries. */
type Carried = (wire: string) => Sizes

interface Outlined {
  readonly stages: ReadonlyArray<StageOutline>
  readonly carried: Carried
}

const outline = (graph: Graph, given: Sizes, prefix: string, arriving: Carried): Outlined => {
  // What a node's output carries; the port is "" where it has but one.
  const makers = new Map<string, Carried>()
  const carried: Carried = (wire) => {
    if (Object.hasOwn(graph.inputs, wire)) return arriving(wire)
    const [name = "", port = ""] = wire.split(".")
    return makers.get(name)?.(port) ?? {}
  }
  const stages = graph.nodes.flatMap(({ name, node, wires }): ReadonlyArray<StageOutline> => {
    const stage = `${prefix}${name}`
    const sizes = (port: string): Sizes => ({ ...(wires[port] === undefined ? {} : carried(wires[port])), ...given })
    if (isGraph(node)) {
      const inner = outline(node, given, `${stage}.`, sizes)
      makers.set(name, (port) => inner.carried(node.outputs[port] ?? Object.values(node.outputs)[0] ?? ""))
      return inner.stages
    }
    if (node.level !== "stage" || node.outline === undefined) return []
    const inputs = { sizes, size: (port: string, size: string) => known(stage, port, size, sizes(port)) }
    const made = once(() => node.outline!(inputs))
    makers.set(name, () => made().sizes)
    return [{ stage, functions: () => made().functions ?? {} }]
  })
  return { stages, carried }
}

/** An outline is asked for by all that come after it. */
const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const known = (stage: string, port: string, name: string, sizes: Sizes): number => {
  const size = sizes[name]
  if (size !== undefined) return size
  throw new BadConfig({
    where: `${stage} > ${port}`,
    expected: `the size "${name}" of what comes in`,
    received: Object.keys(sizes).length === 0 ? "none" : `sizes ${Object.keys(sizes).join(", ")}`,
    fix: `give it: --size ${name}=…`,
  })
}
