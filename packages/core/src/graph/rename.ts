/** A node's ports under the names that its graph gives to their axes. */
import { type AxisName, type AxisNames, axisNames, type RenameAxes, renameAxes } from "../axes.js"
import { isPort, type Node, type Outputs } from "../node.js"
import type { Port, Ports } from "../port.js"
import type { GraphNode } from "./parts.js"
import type { NodePlan } from "./plan.js"

// --- for the compiler. Without new names nothing is computed: chains of nodes stay quick to check.

type RenamedPort<P, M> = P extends Port<infer D, infer A, infer U, infer V> ? Port<D, RenameAxes<A, M>, U, V> : never

/** A port under the new names of its axes. */
export type Renamed<P, M> = [keyof M] extends [never] ? P : RenamedPort<P, M>

/** What a node gives, under the new names. */
export type RenamedOutputs<Out, M> = [keyof M] extends [never]
  ? Out
  : Out extends Port
    ? RenamedPort<Out, M>
    : { readonly [K in keyof Out]: RenamedPort<Out[K], M> }

type AxesIn<P> = P extends { readonly axes: infer A extends string } ? AxisName<A> : never

/** The axes that a node's ports name. */
export type AxesOf<In extends Ports, Out extends Outputs> =
  | AxesIn<In[keyof In]>
  | (Out extends Port ? AxesIn<Out> : AxesIn<Out[keyof Out]>)

/** Why the axes `Has` of a node cannot have the names `M`, or never. */
export type WrongNames<M extends AxisNames, Has extends string> = [keyof M] extends [never]
  ? never
  : string extends Has | M[keyof M]
    ? never
    : {
        [A in keyof M & string]: A extends Has
          ? M[A] extends Exclude<Has, keyof M> | M[Exclude<keyof M, A>]
            ? `axes: two axes of this node would be called ${M[A]}`
            : never
          : `axes: this node has no axis ${A}`
      }[keyof M & string]

// --- at run time

/** The axes that a node's ports name, each once. */
export const axesOfNode = ({ in: inputs, out }: Node): ReadonlyArray<string> => {
  const ports = [...Object.values(inputs), ...(isPort(out) ? [out] : Object.values(out))]
  return [...new Set(ports.flatMap(({ axes }) => axisNames(axes)))]
}

const renamePort = (port: Port, names: AxisNames): Port => ({ ...port, axes: renameAxes(port.axes, names) })

const renamePorts = (ports: Ports, names: AxisNames): Ports =>
  Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, renamePort(port, names)]))

/** The node as its graph sees it. Names that change nothing are dropped. */
export const place = (plan: NodePlan): GraphNode => {
  const { node } = plan
  const axes = Object.fromEntries(Object.entries(plan.axes).filter(([axis, name]) => axis !== name))
  if (Object.keys(axes).length === 0) return { ...plan, axes, in: node.in, out: node.out, sizes: node.sizes }
  return {
    ...plan,
    axes,
    in: renamePorts(node.in, axes),
    out: isPort(node.out) ? renamePort(node.out, axes) : renamePorts(node.out, axes),
    sizes: Object.fromEntries(Object.entries(node.sizes).map(([axis, size]) => [renameAxes(axis, axes), size])),
  }
}
