/**
 * Threefry-2x32-20: a counter-based generator. Its output is a function of (key, counter) and of nothing else, so there
 * is no state to save, and any draw can be repeated alone.
 * Source   Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
 *
 * The 64-bit counter is divided by its top bits, so that no two uses of a key meet:
 *   00  draws: blocks 0 .. 2^53 - 1       01  retries of a rejected draw       10  split by text       11  split by number
 */
import { BadConfig } from "../errors.js"
import type { Key } from "./key.js"

/** Schneier's constant of Threefish, cut to 32 bits: it makes the third key word of an all-zero key non-zero. */
const PARITY = 0x1bd11bda

/** The first word of a retry's counter, where the draw at `index` was rejected `attempt` times. */
export const RETRY = 0x4000_0000
/** The first word of a counter that splits by text. */
export const BY_TEXT = 0x8000_0000
/** The first word of a counter that splits by number. */
export const BY_NUMBER = 0xc000_0000

/** Blocks `first .. first + out.length / 2`, two words each, under the counter's high word `high`. */
const fill = (key: Key, high: number, first: number, out: Uint32Array): void => {
  const k0 = key.hi | 0
  const k1 = key.lo | 0
  const k2 = k0 ^ k1 ^ PARITY
  const start = (first + k1) | 0
  for (let i = 0; i < out.length; i += 2) {
    let a = (high + k0) | 0
    let b = (start + (i >>> 1)) | 0
    // Five groups of four rounds; a key injection after each. Rotations 13 15 26 6, 17 29 16 24 in turn.
    a = (a + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ a
    a = (a + b) | 0
    b = ((b << 15) | (b >>> 17)) ^ a
    a = (a + b) | 0
    b = ((b << 26) | (b >>> 6)) ^ a
    a = (a + b) | 0
    b = ((b << 6) | (b >>> 26)) ^ a
    a = (a + k1) | 0
    b = (b + k2 + 1) | 0
    a = (a + b) | 0
    b = ((b << 17) | (b >>> 15)) ^ a
    a = (a + b) | 0
    b = ((b << 29) | (b >>> 3)) ^ a
    a = (a + b) | 0
    b = ((b << 16) | (b >>> 16)) ^ a
    a = (a + b) | 0
    b = ((b << 24) | (b >>> 8)) ^ a
    a = (a + k2) | 0
    b = (b + k0 + 2) | 0
    a = (a + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ a
    a = (a + b) | 0
    b = ((b << 15) | (b >>> 17)) ^ a
    a = (a + b) | 0
    b = ((b << 26) | (b >>> 6)) ^ a
    a = (a + b) | 0
    b = ((b << 6) | (b >>> 26)) ^ a
    a = (a + k0) | 0
    b = (b + k1 + 3) | 0
    a = (a + b) | 0
    b = ((b << 17) | (b >>> 15)) ^ a
    a = (a + b) | 0
    b = ((b << 29) | (b >>> 3)) ^ a
    a = (a + b) | 0
    b = ((b << 16) | (b >>> 16)) ^ a
    a = (a + b) | 0
    b = ((b << 24) | (b >>> 8)) ^ a
    a = (a + k1) | 0
    b = (b + k2 + 4) | 0
    a = (a + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ a
    a = (a + b) | 0
    b = ((b << 15) | (b >>> 17)) ^ a
    a = (a + b) | 0
    b = ((b << 26) | (b >>> 6)) ^ a
    a = (a + b) | 0
    b = ((b << 6) | (b >>> 26)) ^ a
    out[i] = a + k2
    if (i + 1 < out.length) out[i + 1] = b + k0 + 5
  }
}

/** One block: two words for a 64-bit counter given as two words. */
export const block = (key: Key, high: number, low: number): [number, number] => {
  const out = new Uint32Array(2)
  fill(key, high, low, out)
  return [out[0]!, out[1]!]
}

/**
 * The block of two uint32 at a counter. The raw generator; prefer the named distributions, which share its blocks.
 * @fails  BadConfig  the counter is not a non-negative safe integer
 */
export const draw = (key: Key, counter: number): [number, number] => {
  if (Number.isSafeInteger(counter) && counter >= 0) return block(key, Math.floor(counter / 2 ** 32), counter % 2 ** 32)
  throw new BadConfig({
    where: "random.draw",
    expected: "a non-negative safe integer as counter",
    received: String(counter),
    fix: "count draws from 0",
  })
}

/** The first `n` words of a key's stream: word i is word i mod 2 of block ⌊i / 2⌋. A longer stream extends a shorter one. */
export const words = (key: Key, n: number): Uint32Array<ArrayBuffer> => {
  const out = new Uint32Array(n)
  fill(key, 0, 0, out)
  return out
}
