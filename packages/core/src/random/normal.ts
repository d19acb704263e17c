import type { Key } from "./key.js"
import { ln } from "./logarithm.js"
import { count } from "./shape.js"
import { words } from "./threefry.js"
import type { Float32Tensor } from "./uniform.js"

/** The quantile where p is within 0.425 of a half; q = p − 0.5. */
const central = (q: number): number => {
  const r = 0.180625 - q * q
  let a = 2509.0809287301227
  a = a * r + 33430.57558358813
  a = a * r + 67265.7709270087
  a = a * r + 45921.95393154987
  a = a * r + 13731.69376550946
  a = a * r + 1971.5909503065513
  a = a * r + 133.14166789178438
  a = a * r + 3.3871328727963665
  let b = 5226.495278852854
  b = b * r + 28729.085735721943
  b = b * r + 39307.89580009271
  b = b * r + 21213.794301586597
  b = b * r + 5394.196021424751
  b = b * r + 687.1870074920579
  b = b * r + 42.31333070160091
  return (q * a) / (b * r + 1)
}

/** The quantile nearer to 0 or 1. */
const tail = (p: number, q: number): number => {
  const r = Math.sqrt(-ln(q < 0 ? p : 1 - p)) - 1.6
  let c = 0.0007745450142783414
  c = c * r + 0.022723844989269184
  c = c * r + 0.2417807251774506
  c = c * r + 1.2704582524523684
  c = c * r + 3.6478483247632045
  c = c * r + 5.769497221460691
  c = c * r + 4.630337846156546
  c = c * r + 1.4234371107496835
  let d = 1.0507500716444169e-9
  d = d * r + 0.0005475938084995345
  d = d * r + 0.015198666563616457
  d = d * r + 0.14810397642748008
  d = d * r + 0.6897673349851
  d = d * r + 1.6763848301838038
  d = d * r + 2.053191626637759
  return (q < 0 ? -c : c) / (d * r + 1)
}

/**
 * The quantile of the standard normal distribution, to about 1e-15, for 2^-36 < p < 1 - 2^-36 (|z| < 6.8).
 * @source  Wichura 1988, algorithm AS 241, PPND16, with its coefficients as the nearest doubles. Its far-tail branch is
 *          left out: 32-bit words never reach it.
 */
export const normalQuantile = (p: number): number => {
  const q = p - 0.5
  return Math.abs(q) <= 0.425 ? central(q) : tail(p, q)
}

/**
 * Independent standard normal float32, by inversion of one 32-bit word each, so |z| < 6.4.
 * Element i is a function of the key and i alone, the same bits on every machine and engine.
 */
export const normal = (key: Key, shape: ReadonlyArray<number>): Float32Tensor => {
  const bits = words(key, count(shape, "random.normal"))
  const data = new Float32Array(bits.buffer)
  for (let i = 0; i < bits.length; i++) data[i] = normalQuantile((bits[i]! + 0.5) * 2 ** -32)
  return { dtype: "float32", shape, data }
}
