/**
 * The natural logarithm of x > 0 from IEEE additions, products and one quotient alone.
 * Math.log may differ in the last bit between engines; draws must not.
 * ln x = e ln 2 + 2 artanh((f - 1) / (f + 1)), x = f 2^e, 1/√2 ≤ f < √2. Error about 1e-16 relative to max(|ln x|, |x - 1|).
 */
export const ln = (x: number): number => {
  let f = x
  let e = 0
  while (f < Math.SQRT1_2) {
    f *= 2
    e--
  }
  while (f >= Math.SQRT2) {
    f /= 2
    e++
  }
  const s = (f - 1) / (f + 1)
  const z = s * s // at most 0.0295: eleven terms reach 2^-53
  let sum = 1 / 21
  sum = sum * z + 1 / 19
  sum = sum * z + 1 / 17
  sum = sum * z + 1 / 15
  sum = sum * z + 1 / 13
  sum = sum * z + 1 / 11
  sum = sum * z + 1 / 9
  sum = sum * z + 1 / 7
  sum = sum * z + 1 / 5
  sum = sum * z + 1 / 3
  return e * Math.LN2 + 2 * s * (1 + sum * z)
}
