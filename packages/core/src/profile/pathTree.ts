/** Figures by path, as a tree: what a node took includes what the nodes inside it took. */

/** Figures that add up. Times in milliseconds. */
export interface Figures {
  readonly milliseconds: number
  readonly kernels: number
  readonly flops: number
  /** Of what the node's kernels make. */
  readonly bytes: number
  /** Of what they have made and is still needed when the memory of the whole program is most. */
  readonly bytesAtPeak: number
}

export interface PathRow extends Figures {
  /** `policy > blocks.0` */
  readonly path: ReadonlyArray<string>
}

const nothing: Figures = { milliseconds: 0, kernels: 0, flops: 0, bytes: 0, bytesAtPeak: 0 }

const plus = (a: Figures, b: Figures): Figures => ({
  milliseconds: a.milliseconds + b.milliseconds,
  kernels: a.kernels + b.kernels,
  flops: a.flops + b.flops,
  bytes: a.bytes + b.bytes,
  bytesAtPeak: a.bytesAtPeak + b.bytesAtPeak,
})

interface Branch {
  figures: Figures
  readonly children: Map<string, Branch>
}

/** Every path and every beginning of one, parents before their children, those that took longest first. */
export const pathTree = (
  leaves: Iterable<Partial<Figures> & { readonly path: ReadonlyArray<string> }>,
): ReadonlyArray<PathRow> => {
  const root: Branch = { figures: nothing, children: new Map() }
  for (const { path, ...some } of leaves) {
    let branch = root
    for (const name of path) {
      const child: Branch = branch.children.get(name) ?? { figures: nothing, children: new Map() }
      branch.children.set(name, child)
      child.figures = plus(child.figures, { ...nothing, ...some })
      branch = child
    }
  }
  const rows = ({ children }: Branch, above: ReadonlyArray<string>): ReadonlyArray<PathRow> =>
    [...children]
      .toSorted(([, a], [, b]) => b.figures.milliseconds - a.figures.milliseconds)
      .flatMap(([name, child]) => {
        const path = [...above, name]
        return [{ path, ...child.figures }, ...rows(child, path)]
      })
  return rows(root, [])
}
