/** Nested parameters: plain records and arrays with tensors (or anything else) at the leaves. */

export type Tree<Leaf> = Leaf | { readonly [name: string]: Tree<Leaf> } | ReadonlyArray<Tree<Leaf>>

/** The same tree with other leaves. */
export type MapTree<T, From, To> = T extends From
  ? To
  : T extends ReadonlyArray<infer Item>
    ? ReadonlyArray<MapTree<Item, From, To>>
    : { readonly [K in keyof T]: MapTree<T[K], From, To> }

/** Leaves by their path, in the order of the tree: `blocks.0.attention.query.weight`. */
export const flatten = <Leaf>(tree: Tree<Leaf>, isLeaf: (value: unknown) => value is Leaf): Record<string, Leaf> => {
  const leaves: Record<string, Leaf> = {}
  const walk = (node: Tree<Leaf>, path: string): void => {
    if (isLeaf(node)) {
      leaves[path] = node
      return
    }
    for (const [name, child] of Object.entries(node as Record<string, Tree<Leaf>>)) {
      walk(child, path === "" ? name : `${path}.${name}`)
    }
  }
  walk(tree, "")
  return leaves
}

/** A tree of the shape of `like` whose leaves are `pick(path, leaf)`. */
export const mapTree = <Leaf, To>(
  like: Tree<Leaf>,
  isLeaf: (value: unknown) => value is Leaf,
  pick: (path: string, leaf: Leaf) => To,
): Tree<To> => {
  const walk = (node: Tree<Leaf>, path: string): Tree<To> => {
    if (isLeaf(node)) return pick(path, node)
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`)
    if (Array.isArray(node)) return node.map((child, i) => walk(child, at(String(i))))
    return Object.fromEntries(
      Object.entries(node as Record<string, Tree<Leaf>>).map(([name, child]) => [name, walk(child, at(name))]),
    )
  }
  return walk(like, "")
}
