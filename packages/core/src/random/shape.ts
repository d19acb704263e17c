import { BadConfig } from "../errors.js"

/** The number of elements of a shape; BadConfig for a size that is negative, broken, or beyond 2^31 in all. */
export const count = (shape: ReadonlyArray<number>, where: string): number => {
  const n = shape.reduce((product, size) => product * (Number.isInteger(size) && size >= 0 ? size : Number.NaN), 1)
  if (n < 2 ** 31) return n
  throw new BadConfig({
    where,
    expected: "a shape of non-negative integers with fewer than 2^31 elements",
    received: `[${shape.join(", ")}]`,
    fix: "correct the shape, or draw in parts under split keys",
  })
}
