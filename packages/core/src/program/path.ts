/** Where in the graph tensor code runs: names from the outermost on, which equations and errors carry as `a > b`. */
import * as tf from "@tensorflow/tfjs-core"

let present = ""

/** The present path, `""` outside of every name. */
export const currentPath = (): string => present

const failedAt = new WeakMap<object, string>()

/** The innermost path that an error was thrown in; null where it was thrown outside of every `withPath`. */
export const pathOfError = (error: unknown): string | null =>
  typeof error === "object" && error !== null ? (failedAt.get(error) ?? null) : null

const at = <A>(path: string, fn: () => A): A => {
  const before = present
  present = path
  try {
    return fn()
  } catch (error) {
    if (typeof error === "object" && error !== null && !failedAt.has(error)) failedAt.set(error, path)
    throw error
  } finally {
    present = before
  }
}

type TapeNode = NonNullable<ReturnType<typeof tf.engine>["state"]["activeTape"]>[number]
const placed = new WeakSet<TapeNode>()

/** A tape node's gradient runs after the path has been left: it takes the path along. */
const remember = (node: TapeNode, path: string): void => {
  const gradient = node.gradient
  if (gradient === undefined || placed.has(node)) return
  placed.add(node)
  node.gradient = (dys) =>
    Object.fromEntries(
      Object.entries(at(path, () => gradient(dys))).map(([name, thunk]) => [name, () => at(path, thunk)]),
    )
}

/** Runs tensor code under a name. What it records, forward and backward, and what it throws, carry the joined path. */
export const withPath = <A>(name: string, fn: () => A): A => {
  const path = present === "" ? name : `${present} > ${name}`
  const { state } = tf.engine()
  const tape = state.activeTape
  const first = tape?.length ?? 0
  const result = at(path, fn)
  if (state.gradientDepth > 0 && state.activeTape) {
    const nodes = state.activeTape
    for (let i = nodes === tape ? first : 0; i < nodes.length; i++) remember(nodes[i]!, path)
  }
  return result
}
