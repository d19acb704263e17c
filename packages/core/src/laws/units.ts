/** Examples of what a tensor port carries, from its unit. */
import type fc from "fast-check"
import type { Port } from "../port.js"
import { embeddings, images, logits, logProbs, masks, numbers, rankings, tokens } from "./arbitraries.js"
import { grid, real, size } from "./examples.js"

type Numbers = fc.Arbitrary<Array<number>>
type Sizes = Readonly<Record<string, number>>
type Shape = ReadonlyArray<number>

const positive = (shape: Shape): Numbers => grid(shape, real(4)).map((x) => x.map(Math.abs))

const byUnit: Readonly<Record<string, (shape: Shape, sizes: Sizes) => Numbers>> = {
  logit: logits,
  "log-prob": logProbs,
  mask: masks,
  preference: rankings,
  embedding: embeddings,
  token: (shape, { v = 2 }) => tokens(shape, v),
  code: (shape, { k = 2 }) => tokens(shape, k),
  step: (shape) => tokens(shape, 2),
  "[0,1]": (shape) => images(shape, [0, 1]),
  "[-1,1]": (shape) => images(shape, [-1, 1]),
  "[0,255]": (shape) => images(shape, [0, 255]),
  cosine: (shape) => images(shape, [-1, 1]),
  "reward per nat": positive,
}

/** Numbers that a port may be given. Tokens are below the size of axis `v`, codes below that of `k`; 2 where there is none. */
export const examplesOfPort = ({ dtype, unit }: Port, shape: Shape, sizes: Sizes): Numbers => {
  const known = Object.hasOwn(byUnit, unit) ? byUnit[unit] : undefined
  if (known !== undefined) return known(shape, sizes)
  if (dtype === "bool") return masks(shape)
  return dtype === "int32" ? grid(shape, size(0, 3)) : numbers(shape)
}

/** The range that a unit promises, or null where it promises none. */
export const rangeOfUnit = (unit: string): readonly [low: number, high: number] | null =>
  unit === "cosine" ? [-1, 1] : unit === "mask" || unit === "[0,1]" ? [0, 1] : unit === "[-1,1]" ? [-1, 1] : null

/** Whether small changes of what a port carries mean anything: not those of ids, masks and ranks. */
export const isContinuous = ({ dtype, unit }: Port): boolean =>
  dtype === "float32" && unit !== "mask" && unit !== "preference"
