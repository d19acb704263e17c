/** Common subexpressions: the same kernel of the same values, and the same constant, exist once. */
import { sha256 } from "../../artifact.js"
import { type HostTensor, showSpec } from "../../tensor.js"
import { canonicalAttr } from "../hash.js"
import type { Program, Value } from "../ir.js"
import { kernels } from "../kernels.js"
import { type Rule, rewrite } from "./rewrite.js"

const digests = new WeakMap<HostTensor, string>()

/** Type and content of a constant. Large ones are hashed once: passes hand the same tensor on. */
const contentOf = (tensor: HostTensor): string => {
  const before = digests.get(tensor)
  if (before !== undefined) return before
  const { buffer, byteOffset, byteLength } = tensor.data
  const digest = `${showSpec(tensor)} ${sha256(new Uint8Array(buffer, byteOffset, byteLength))}`
  digests.set(tensor, digest)
  return digest
}

const mergeConstants = (program: Program): Program => {
  const first = new Map<string, Value>()
  const instead = new Map<number, Value>()
  for (const { value, tensor } of program.constants) {
    const key = contentOf(tensor)
    const same = first.get(key)
    if (same === undefined) first.set(key, value)
    else instead.set(value.id, same)
  }
  if (instead.size === 0) return program
  const settle = (value: Value): Value => instead.get(value.id) ?? value
  return {
    ...program,
    constants: program.constants.filter(({ value }) => !instead.has(value.id)),
    equations: program.equations.map((equation) => ({ ...equation, inputs: equation.inputs.map(settle) })),
    outputs: program.outputs.map((output) => ({ ...output, value: settle(output.value) })),
  }
}

const mergeEquations = (): Rule => {
  const first = new Map<string, ReadonlyArray<Value>>()
  return ({ op, inputs, attrs, outputs }) => {
    const ids = inputs.map(({ id }) => id)
    if (kernels.get(op)?.commutative) ids.sort((a, b) => a - b)
    const settings = Object.keys(attrs)
      .sort()
      .map((name) => `${name}=${canonicalAttr(attrs[name]!)}`)
    const key = `${op}(${ids}){${settings}}`
    const same = first.get(key)
    if (same !== undefined) return { values: same }
    first.set(key, outputs)
    return null
  }
}

export const share = (program: Program): Program => rewrite(mergeConstants(program), mergeEquations())
