/** Tensor operations as plain loops over float64, on flat lists in row-major order: the oracles of the gradients. */

export type Values = ReadonlyArray<number>
export type Shape = ReadonlyArray<number>

export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1)

const strides = (shape: Shape): Shape => shape.map((_, i) => sizeOf(shape.slice(i + 1)))

/** Every index of a shape, in order. */
export const indices = (shape: Shape): ReadonlyArray<Shape> => {
  const steps = strides(shape)
  return Array.from({ length: sizeOf(shape) }, (_, k) => shape.map((d, i) => Math.floor(k / steps[i]!) % d))
}

/** The element at an index; 0 outside. */
export const at = (x: Values, shape: Shape, index: Shape): number => {
  let place = 0
  for (let axis = 0; axis < shape.length; axis++) {
    const i = index[axis]!
    if (i < 0 || i >= shape[axis]!) return 0
    place = place * shape[axis]! + i
  }
  return x[place]!
}

/** A result of the given shape, each element from its index. */
export const make = (shape: Shape, f: (index: Shape) => number): Values => indices(shape).map(f)

export interface Window {
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilation: number
  /** Pixels above and to the left. */
  readonly before: readonly [number, number]
  readonly output: readonly [number, number]
}

/** The pixels [row, column] of an image that a window at (y, x) covers, with the tap that lies on each. */
const covered = (w: Window, y: number, x: number): ReadonlyArray<readonly [number, number, number, number]> =>
  indices(w.kernel).map(([i, j]) => [
    y * w.strides[0] - w.before[0] + i! * w.dilation,
    x * w.strides[1] - w.before[1] + j! * w.dilation,
    i!,
    j!,
  ])

/** [b, y, x, c] with a filter [y, x, c, o]. */
export const conv2d = (image: Values, size: Shape, filter: Values, taps: Shape, w: Window): Values =>
  make([size[0]!, ...w.output, taps[3]!], ([b, y, x, o]) => {
    let sum = 0
    for (const [row, column, i, j] of covered(w, y!, x!)) {
      for (let c = 0; c < size[3]!; c++) sum += at(image, size, [b!, row, column, c]) * at(filter, taps, [i, j, c, o!])
    }
    return sum
  })

/** The transpose of conv2d: every pixel of dy adds the filter to the image. */
export const conv2dTranspose = (
  dy: Values,
  size: Shape,
  filter: Values,
  taps: Shape,
  image: Shape,
  w: Window,
): Values => {
  const sums = new Array<number>(sizeOf(image)).fill(0)
  const steps = strides(image)
  for (const [b, y, x, o] of indices(size)) {
    for (const [row, column, i, j] of covered(w, y!, x!)) {
      if (row < 0 || column < 0 || row >= image[1]! || column >= image[2]!) continue
      for (let c = 0; c < image[3]!; c++) {
        const place = b! * steps[0]! + row * steps[1]! + column * steps[2]! + c
        sums[place]! += at(dy, size, [b!, y!, x!, o!]) * at(filter, taps, [i, j, c, o!])
      }
    }
  }
  return sums
}

/** [b, y, x, c] with a filter [y, x, c, m], to c · m channels. */
export const depthwise = (image: Values, size: Shape, filter: Values, taps: Shape, w: Window): Values =>
  make([size[0]!, ...w.output, size[3]! * taps[3]!], ([b, y, x, o]) => {
    const [c, m] = [Math.floor(o! / taps[3]!), o! % taps[3]!]
    return covered(w, y!, x!).reduce(
      (sum, [row, column, i, j]) => sum + at(image, size, [b!, row, column, c]) * at(filter, taps, [i, j, c, m]),
      0,
    )
  })

export const pool = (image: Values, size: Shape, w: Window, join: (inside: Values) => number): Values =>
  make([size[0]!, ...w.output, size[3]!], ([b, y, x, c]) =>
    join(
      covered(w, y!, x!)
        .filter(([row, column]) => row >= 0 && column >= 0 && row < size[1]! && column < size[2]!)
        .map(([row, column]) => at(image, size, [b!, row, column, c!])),
    ),
  )

export const mean = (x: Values): number => x.reduce((a, b) => a + b, 0) / x.length

/** Where row `to` of `count` lies among `from` rows. */
const source = (to: number, count: number, from: number, mode: string): number => {
  if (mode === "alignCorners" && count > 1) return (to * (from - 1)) / (count - 1)
  return mode === "halfPixelCenters" ? ((to + 0.5) * from) / count - 0.5 : (to * from) / count
}

export const nearest = (image: Values, size: Shape, [rows, columns]: Shape, mode: string): Values =>
  make([size[0]!, rows!, columns!, size[3]!], ([b, y, x, c]) => {
    const pick = (to: number, count: number, from: number): number => {
      const place = source(to, count, from, mode) + (mode === "halfPixelCenters" ? 0.5 : 0)
      return Math.min(from - 1, mode === "alignCorners" ? Math.round(place) : Math.floor(place))
    }
    return at(image, size, [b!, pick(y!, rows!, size[1]!), pick(x!, columns!, size[2]!), c!])
  })

export const bilinear = (image: Values, size: Shape, [rows, columns]: Shape, mode: string): Values =>
  make([size[0]!, rows!, columns!, size[3]!], ([b, y, x, c]) => {
    const clamp = (place: number, from: number): number => Math.max(0, Math.min(from - 1, place))
    const [row, column] = [source(y!, rows!, size[1]!, mode), source(x!, columns!, size[2]!, mode)]
    const [top, left] = [Math.floor(row), Math.floor(column)]
    const pixel = (i: number, j: number): number => at(image, size, [b!, clamp(i, size[1]!), clamp(j, size[2]!), c!])
    const across = (i: number): number => {
      const part = column - left
      return pixel(i, left) * (1 - part) + pixel(i, left + 1) * part
    }
    return across(top) * (1 - (row - top)) + across(top + 1) * (row - top)
  })

/** Normalised over the elements for which `group` gives the same number, then scaled and shifted by channel. */
export const normalise = (
  x: Values,
  shape: Shape,
  gain: Values,
  bias: Values,
  epsilon: number,
  group: (index: Shape) => number,
): Values => {
  const members = new Map<number, Array<number>>()
  const places = indices(shape)
  places.forEach((index, k) => {
    members.set(group(index), [...(members.get(group(index)) ?? []), x[k]!])
  })
  const moments = new Map(
    [...members].map(([key, own]) => [key, [mean(own), mean(own.map((v) => (v - mean(own)) ** 2))] as const]),
  )
  return places.map((index, k) => {
    const [centre, variance] = moments.get(group(index))!
    const c = index.at(-1)!
    return ((x[k]! - centre) / Math.sqrt(variance + epsilon)) * gain[c]! + bias[c]!
  })
}

/** A sum over labels, as einsum writes it. */
export const einsum = (equation: string, operands: ReadonlyArray<readonly [Values, Shape]>): Values => {
  const [left, out] = equation.split("->") as [string, string]
  const terms = left.split(",")
  const sizes = new Map(terms.flatMap((term, n) => [...term].map((label, i) => [label, operands[n]![1][i]!] as const)))
  const summed = [...sizes.keys()].filter((label) => !out.includes(label))
  const of = (labels: Iterable<string>): Shape => [...labels].map((label) => sizes.get(label)!)
  const inner = indices(of(summed))
  return make(of(out), (index) =>
    inner.reduce((total, rest) => {
      const place = new Map([
        ...[...out].map((l, i) => [l, index[i]!] as const),
        ...summed.map((l, i) => [l, rest[i]!] as const),
      ])
      return (
        total +
        terms.reduce(
          (n, term, k) =>
            n *
            at(
              operands[k]![0],
              operands[k]![1],
              [...term].map((l) => place.get(l)!),
            ),
          1,
        )
      )
    }, 0),
  )
}

/** Reduced along one axis, by what `join` makes of the numbers there. */
export const along = (x: Values, shape: Shape, axis: number, join: (row: Values) => Values): Values => {
  const rest = shape.with(axis, 1)
  const made = new Map(
    indices(rest).map((index) => [
      String(index),
      join(Array.from({ length: shape[axis]! }, (_, i) => at(x, shape, index.with(axis, i)))),
    ]),
  )
  const length = made.values().next().value!.length
  return make(shape.with(axis, length), (index) => made.get(String(index.with(axis, 0)))![index[axis]!]!)
}

/** The error function by its power series. */
export const erf = (x: number): number => {
  let [term, sum] = [x, x]
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}
