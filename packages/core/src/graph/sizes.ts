/** Axis sizes as unknowns: union-find over axis variables, with who bound each and equations between products. */
import { type Axis, parseAxes } from "../axes.js"
import { BadConfig } from "../errors.js"
import type { Finding } from "./findings.js"

/** A variable, or a size and who wrote it. */
type Term = number | { readonly size: number; readonly by: string }
/** One axis of one port: a product of terms, and its name there. */
export interface Dimension {
  readonly name: string
  readonly terms: ReadonlyArray<Term>
}

/** Two axes that a wire makes one, and what to call them in an error. */
export interface Equation {
  readonly at: string
  readonly from: string
  readonly produced: Dimension
  readonly consumed: Dimension
}

/** The unknowns of one graph with everything nested in it. */
export class Sizes {
  private readonly parent: Array<number> = []
  private readonly bound = new Map<number, { readonly size: number; readonly by: string }>()
  private readonly later: Array<Equation> = []
  readonly conflicts: Array<Finding> = []

  /** Reads the axes of one port; `scope` holds the variables that its node names. */
  dimensions(axes: string, scope: Map<string, number>, where: string): ReadonlyArray<Dimension> {
    const parsed = parseAxes(axes)
    if (parsed === null) {
      throw new BadConfig({
        where,
        expected: 'axes such as "b t d", "b 3" or "b t (h e)"',
        received: JSON.stringify(axes),
        fix: "an axis is a lower-case name, a number or a product in round brackets",
      })
    }
    return parsed.map((axis) => ({ name: nameOf(axis), terms: axis.map((factor) => this.term(factor, scope, where)) }))
  }

  private term(factor: string | number, scope: Map<string, number>, where: string): Term {
    if (typeof factor === "number") return { size: factor, by: where }
    const known = scope.get(factor)
    if (known !== undefined) return known
    const id = this.parent.push(this.parent.length) - 1
    scope.set(factor, id)
    return id
  }

  private root(id: number): number {
    let at = id
    while (this.parent[at] !== at) {
      this.parent[at] = this.parent[this.parent[at]!]!
      at = this.parent[at]!
    }
    return at
  }

  private of(term: Term): { readonly size: number; readonly by: string } | null {
    return typeof term === "number" ? (this.bound.get(this.root(term)) ?? null) : term
  }

  /** Gives a named axis of a scope its size. */
  bind(scope: Map<string, number>, axis: string, size: number, by: string, where: string): void {
    const id = scope.get(axis)
    if (id === undefined) return
    const produced = { name: axis, terms: [{ size, by }] }
    this.equate({ at: where, from: by, produced, consumed: { name: axis, terms: [id] } })
  }

  equate(equation: Equation): void {
    if (!this.solve(equation)) this.later.push(equation)
  }

  /** Solves the equations between products as far as the sizes known allow. */
  settle(): void {
    for (let before = -1; before !== this.later.length; ) {
      before = this.later.length
      for (const equation of this.later.splice(0)) this.equate(equation)
    }
  }

  /** The size of an axis, or null. */
  size({ terms }: Dimension): number | null {
    let size = 1
    for (const term of terms) {
      const bound = this.of(term)
      if (bound === null) return null
      size *= bound.size
    }
    return size
  }

  /** Whether nothing is left to learn from an equation. */
  private solve(equation: Equation): boolean {
    const { produced, consumed } = equation
    const sides = [produced, consumed].map(({ terms }) => {
      const known = terms.flatMap((term) => this.of(term) ?? [])
      const unknown = terms.flatMap((term) =>
        this.of(term) === null && typeof term === "number" ? [this.root(term)] : [],
      )
      const by = [...new Set(known.map((k) => k.by))].join(" and ")
      return { size: known.reduce((n, { size }) => n * size, 1), unknown, by, open: unknown.length > 0 }
    })
    const [left, right] = sides as [(typeof sides)[0], (typeof sides)[0]]
    // What stands on both sides cancels.
    for (const id of [...left.unknown]) {
      if (!right.unknown.includes(id)) continue
      left.unknown.splice(left.unknown.indexOf(id), 1)
      right.unknown.splice(right.unknown.indexOf(id), 1)
    }
    const [a, b] = [left.unknown[0], right.unknown[0]]
    if (left.unknown.length + right.unknown.length === 0) {
      if (left.size !== right.size) this.conflict(equation, left, right)
      return true
    }
    if (a !== undefined && b !== undefined && left.unknown.length === 1 && right.unknown.length === 1) {
      if (left.size !== right.size) return false
      this.parent[a] = b
      return true
    }
    if (left.unknown.length + right.unknown.length > 1) return false
    // One unknown in all: it is the quotient.
    const [have, need, id] = a !== undefined ? [right, left, a] : [left, right, b!]
    const size = have.size / need.size
    if (Number.isInteger(size)) this.bound.set(id, { size, by: have.by || equation.from })
    else this.conflict(equation, left, right)
    return true
  }

  private conflict({ at, from, produced, consumed }: Equation, left: Side, right: Side): void {
    const binds = [...new Set([right.by, left.by])].filter((by) => by !== "" && by !== from)
    const by = (side: Side): string => (side.by === "" || side.by === from ? "" : ` (bound by ${side.by})`)
    this.conflicts.push({
      at,
      expected: `axis ${consumed.name} ${extent(right)}${by(right)}`,
      received: `axis ${produced.name} ${extent(left)}${by(left)} from ${from}`,
      fix: binds.length === 0 ? "give both the same size" : `change ${binds.join(" or ")}`,
    })
  }
}

/** A side of an equation: the product of what is known, and the variables that are not. */
interface Side {
  readonly size: number
  readonly by: string
  /** Whether a factor is unknown. */
  readonly open: boolean
}

const extent = ({ size, open }: Side): string => (open ? `a multiple of ${size}` : `= ${size}`)

const nameOf = (axis: Axis): string => (axis.length === 1 ? String(axis[0]) : `(${axis.join(" ")})`)
