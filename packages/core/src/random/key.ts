import { createHash } from "node:crypto"
import { BadConfig } from "../errors.js"
import { BY_NUMBER, BY_TEXT, block } from "./threefry.js"

/** A key of the counter-based generator: 64 bits. Split it by name; never use one key for two purposes. */
export interface Key {
  readonly hi: number
  readonly lo: number
}

const hash = (text: string): [number, number] => {
  const digest = createHash("sha256").update(text, "utf8").digest()
  return [digest.readUInt32BE(0), digest.readUInt32BE(4)]
}

/**
 * The key of a seed. Integers are taken modulo 2^64, so 7 and 7n are one seed; a string is hashed, so "7" is another.
 * @fails  BadConfig  the number is not a safe integer
 */
export const keyFromSeed = (seed: number | bigint | string): Key => {
  if (typeof seed === "string") {
    const [hi, lo] = hash(seed)
    return { hi, lo }
  }
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    throw new BadConfig({
      where: "seed",
      expected: "an integer of at most 53 bits, a bigint or a string",
      received: String(seed),
      fix: "give a whole number, or a string of any kind",
    })
  }
  const bits = BigInt.asUintN(64, BigInt(seed))
  return { hi: Number(bits >> 32n), lo: Number(bits & 0xffff_ffffn) }
}

/**
 * The child of a key by name or number. It depends on the key and the name alone: splitting off one more name, in any
 * order, changes no other child. `split(key, 3)` and `split(key, "3")` differ.
 * @fails  BadConfig  the number is not a non-negative safe integer
 */
export const split = (key: Key, name: string | number): Key => {
  if (typeof name === "string") {
    const [high, low] = hash(name)
    const [hi, lo] = block(key, BY_TEXT | (high >>> 2), low)
    return { hi, lo }
  }
  if (!Number.isSafeInteger(name) || name < 0) {
    throw new BadConfig({
      where: "split",
      expected: "a name, or a non-negative integer",
      received: String(name),
      fix: "split by a step or an index, or by a text",
    })
  }
  const [hi, lo] = block(key, BY_NUMBER | Math.floor(name / 2 ** 32), name % 2 ** 32)
  return { hi, lo }
}
