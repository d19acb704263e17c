/** Tensors with their axes in another order, joined or parted. */
import { BadConfig, BadData, type HostTensor, parseAxes, sizeOf } from "@millrace/core"

type Sizes = Readonly<Record<string, number>>

const refuse = (where: string, expected: string, received: string): never => {
  throw new BadData({ where, expected, received, fix: "check that the weights are of this config" })
}

interface Side {
  /** Factors in order of memory; a fixed 1 has no name and takes no part. */
  readonly names: ReadonlyArray<string>
  readonly axes: ReadonlyArray<ReadonlyArray<string>>
}

const sideOf = (text: string): Side => {
  const axes = parseAxes(text)?.map((axis) => axis.filter((factor) => factor !== 1))
  if (axes === undefined || axes.flat().some((factor) => typeof factor === "number")) {
    throw new BadConfig({
      where: `rearrange "${text}"`,
      expected: "names of axes, 1, and products in parentheses",
      received: text,
      fix: 'write it as "(h e) i -> i (h e)" or "o i 1 1 -> i o"',
    })
  }
  const named = axes as ReadonlyArray<ReadonlyArray<string>>
  return { names: named.flat(), axes: named }
}

/** Sizes of all names, where each axis has at most one that is not given. */
const solve = (where: string, side: Side, shape: ReadonlyArray<number>, given: Sizes): Sizes => {
  const wrong = (): never =>
    refuse(where, `axes ${side.axes.map((a) => a.join("·") || "1").join(", ")}`, `[${shape.join(", ")}]`)
  if (shape.length !== side.axes.length) return wrong()
  const sizes: Record<string, number> = { ...given }
  for (const [i, axis] of side.axes.entries()) {
    const open = axis.filter((name) => sizes[name] === undefined)
    const known = axis.reduce((product, name) => product * (sizes[name] ?? 1), 1)
    if (open.length > 1 || shape[i]! % known !== 0) return wrong()
    if (open.length === 1) sizes[open[0]!] = shape[i]! / known
    else if (known !== shape[i]) return wrong()
  }
  return sizes
}

interface Plan {
  readonly shape: ReadonlyArray<number>
  /** The target's factors in order of memory, with their strides in the source. */
  readonly steps: ReadonlyArray<{ readonly size: number; readonly stride: number }>
}

const planOf = (given: ReadonlyArray<number>, pattern: string, sizes: Sizes, where: string): Plan => {
  const [from = "", to = ""] = pattern.split("->")
  const [source, target] = [sideOf(from), sideOf(to)]
  if ([...source.names].sort().join() !== [...target.names].sort().join()) {
    throw new BadConfig({
      where,
      expected: "the same names on both sides, each once",
      received: pattern,
      fix: "name every axis on both sides; axes of size 1 are written 1",
    })
  }
  const found = solve(where, source, given, sizes)
  const strides: Record<string, number> = {}
  let stride = 1
  for (const name of [...source.names].reverse()) {
    strides[name] = stride
    stride *= found[name]!
  }
  return {
    shape: target.axes.map((axis) => axis.reduce((product, name) => product * found[name]!, 1)),
    steps: target.names.map((name) => ({ size: found[name]!, stride: strides[name]! })),
  }
}

/** The shape that `rearrange` gives, without data. */
export const rearrangedShape = (
  shape: ReadonlyArray<number>,
  pattern: string,
  sizes: Sizes = {},
  where = "rearrange",
): ReadonlyArray<number> => planOf(shape, pattern, sizes, where).shape

/**
 * A tensor rearranged as an einops string says: `"o i y x -> y x i o"`, `"(h p e) i -> i (p h e)"`, `"o i 1 1 -> i o"`.
 * @param sizes  of names that a product leaves open
 * @fails BadData    the tensor does not have these axes
 * @fails BadConfig  the two sides do not name the same axes
 */
export const rearrange = (tensor: HostTensor, pattern: string, sizes: Sizes = {}, where = "rearrange"): HostTensor => {
  const { shape, steps } = planOf(tensor.shape, pattern, sizes, where)
  const data = new (tensor.data.constructor as new (length: number) => HostTensor["data"])(sizeOf(shape))
  // An odometer over the target's factors, the last one fastest.
  const at = steps.map(() => 0)
  let place = 0
  for (let i = 0; i < data.length; i++) {
    data[i] = tensor.data[place]!
    for (let axis = steps.length - 1; axis >= 0; axis--) {
      const step = steps[axis]!
      place += step.stride
      at[axis]! += 1
      if (at[axis]! < step.size) break
      place -= step.stride * step.size
      at[axis] = 0
    }
  }
  return { dtype: tensor.dtype, shape, data } as HostTensor
}

/** The pattern that undoes another. */
export const inverse = (pattern: string): string =>
  pattern
    .split("->")
    .map((side) => side.trim())
    .reverse()
    .join(" -> ")
