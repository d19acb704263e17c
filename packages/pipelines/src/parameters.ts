/** Parameters under another prefix: a node's own name in one objective, none in an artifact. */
import type { HostTensors } from "@millrace/core"

/** The parameters whose name begins with `from`, with `to` in its place. */
export const renamed = (params: HostTensors, from: string, to: string): HostTensors =>
  Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => name.startsWith(from))
      .map(([name, tensor]) => [to + name.slice(from.length), tensor]),
  )
