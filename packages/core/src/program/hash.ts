/** The identity of a program: what it computes, not how its values are numbered or where they were recorded. */
import { sha256 } from "../artifact.js"
import { showSpec } from "../tensor.js"
import { labelOf } from "./interpret.js"
import type { Attr, Constant, Program } from "./ir.js"

// JSON writes NaN, the infinities and −0 as other numbers.
export const canonicalAttr = (attr: Attr): string => {
  if (typeof attr === "number") return Object.is(attr, -0) ? "-0" : String(attr)
  if (Array.isArray(attr)) return `[${attr.map((item: Attr) => canonicalAttr(item)).join(",")}]`
  return JSON.stringify(attr)
}

const content = ({ tensor }: Constant): string =>
  sha256(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength))

/**
 * SHA-256 of a canonical form. Equal for programs that differ in value numbers and paths alone; constants count by
 * content.
 */
export const programHash = (program: Program): string => {
  const numbers = new Map<number, number>()
  const number = (id: number): number => {
    if (!numbers.has(id)) numbers.set(id, numbers.size)
    return numbers.get(id)!
  }
  const constants = new Map(program.constants.map((constant) => [constant.value.id, constant]))
  // A constant is named where it is first used, so that their order and unused ones do not count.
  const use = (id: number): string => {
    const constant = constants.get(id)
    return constant === undefined ? `%${number(id)}` : `${showSpec(constant.value)}:${content(constant)}`
  }
  const lines = [
    ...program.inputs.map(
      (input) => `in ${JSON.stringify(labelOf(input))} ${showSpec(input.value)} %${number(input.value.id)}`,
    ),
    ...program.equations.map(({ op, inputs, attrs, outputs }) => {
      const operands = inputs.map(({ id }) => use(id)).join(",")
      const settings = Object.keys(attrs)
        .sort()
        .map((key) => `${key}=${canonicalAttr(attrs[key]!)}`)
      return `${op}(${operands}){${settings.join(",")}}${outputs.map((v) => `%${number(v.id)} ${showSpec(v)}`).join(",")}`
    }),
    ...program.outputs.map((output) => `out ${JSON.stringify(labelOf(output))} ${use(output.value.id)}`),
  ]
  return sha256(lines.join("\n"))
}
