/** Programs as text: readable, stable, and free of everything that does not decide what a program computes. */
import { showSpec } from "../tensor.js"
import { labelOf } from "./interpret.js"
import type { Attr, Constant, Program } from "./ir.js"

const showAttr = (attr: Attr): string =>
  Array.isArray(attr) ? `[${attr.map((item: Attr) => showAttr(item)).join(", ")}]` : String(attr)

const showConstant = ({ tensor }: Constant): string => {
  const shown = Array.from(tensor.data.slice(0, 4), (v) => String(Number(v.toPrecision(6)))).join(", ")
  return tensor.data.length <= 4 ? shown : `${shown}, …`
}

/**
 * A program as text, one equation a line; values are numbered in order of their appearance.
 *
 *   program mlp(x: float32[2, 3]) {
 *     %1: float32[3, 4] = constant 0.1, 0.2, 0.3, 0.4, …
 *     %2: float32[2, 4] = BatchMatMul(%x, %1) transposeA=false transposeB=false   # mlp > hidden
 *     return y=%2
 *   }
 */
export const printProgram = (program: Program): string => {
  const names = new Map<number, string>()
  for (const input of program.inputs) names.set(input.value.id, `%${labelOf(input)}`)
  let count = 0
  const name = (id: number): string => {
    const known = names.get(id)
    if (known !== undefined) return known
    const next = `%${++count}`
    names.set(id, next)
    return next
  }
  const inputs = program.inputs.map((input) => `${labelOf(input)}: ${showSpec(input.value)}`)
  const constants = program.constants.map(
    (constant) => `  ${name(constant.value.id)}: ${showSpec(constant.value)} = constant ${showConstant(constant)}`,
  )
  const equations = program.equations.map(({ op, inputs, attrs, outputs, path }) => {
    const operands = inputs.map(({ id }) => name(id)).join(", ")
    const results = outputs.map((value) => `${name(value.id)}: ${showSpec(value)}`).join(", ")
    const settings = Object.keys(attrs)
      .sort()
      .filter((key) => attrs[key] !== false)
      .map((key) => ` ${key}=${showAttr(attrs[key]!)}`)
    return `  ${results} = ${op}(${operands})${settings.join("")}${path === "" ? "" : `   # ${path}`}`
  })
  const outputs = program.outputs.map((output) => `${labelOf(output)}=${name(output.value.id)}`).join(", ")
  return [
    `program ${program.name}(${inputs.join(", ")}) {`,
    ...constants,
    ...equations,
    `  return ${outputs}`,
    "}",
  ].join("\n")
}
