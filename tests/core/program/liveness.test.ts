/** The peak by lifetimes, against a machine that allocates, counts readers and frees. */
import { bytesOf, type Equation, liveness, type Program, type Value } from "@millrace/core"
import fc from "fast-check"
import { expect, test } from "vitest"

const step = fc.record({
  op: fc.constantFrom("Tanh", "Add", "Reshape", "SplitV"),
  reads: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  size: fc.integer({ min: 1, max: 50 }),
  returned: fc.boolean(),
})

/** Any program: each equation reads what was there before it. Shapes need not make sense for sizes to. */
const programOf = (
  steps: ReadonlyArray<{ op: string; reads: ReadonlyArray<number>; size: number; returned: boolean }>,
) => {
  const input: Value = { id: 0, dtype: "float32", shape: [7] }
  const values = [input]
  const returned: Array<Value> = []
  const equations = steps.map(({ op, reads, size, returned: isOutput }): Equation => {
    const inputs = reads.map((at) => values[at % values.length]!)
    const shape = op === "Reshape" ? inputs[0]!.shape : [size]
    const outputs = Array.from({ length: op === "SplitV" ? 2 : 1 }, (_, i) => {
      const value: Value = { id: values.length + i, dtype: "float32", shape }
      return value
    })
    values.push(...outputs)
    if (isOutput) returned.push(outputs[0]!)
    return { op, inputs, attrs: {}, outputs, path: "" }
  })
  const program: Program = {
    name: "any",
    inputs: [{ name: "x", slot: null, value: input }],
    constants: [],
    equations,
    outputs: returned.map((value, i) => ({ name: `y${i}`, slot: null, value })),
  }
  return program
}

/** Runs the schedule: a block of memory is freed when nothing that is still to come reads any value in it. */
const simulated = ({ equations, outputs }: Program): number => {
  const blocks = new Map<number, { readonly bytes: number; readonly values: Set<number> }>()
  let most = 0
  equations.forEach((equation, place) => {
    const { op, inputs, outputs: made } = equation
    const shared = op === "Reshape" ? [...blocks.values()].find(({ values }) => values.has(inputs[0]!.id)) : undefined
    if (shared !== undefined) for (const { id } of made) shared.values.add(id)
    else if (op !== "Reshape") {
      blocks.set(made[0]!.id, {
        bytes: made.reduce((bytes, value) => bytes + bytesOf(value), 0),
        values: new Set(made.map(({ id }) => id)),
      })
    }
    most = Math.max(
      most,
      [...blocks.values()].reduce((bytes, block) => bytes + block.bytes, 0),
    )
    const later = new Set([
      ...equations.slice(place + 1).flatMap((one) => one.inputs.map(({ id }) => id)),
      ...outputs.map(({ value }) => value.id),
    ])
    for (const [id, { values }] of blocks) if (![...values].some((value) => later.has(value))) blocks.delete(id)
  })
  return most
}

test("the peak is what a machine holds that frees every value after its last reader", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const program = programOf(steps)
      const found = liveness(program)
      expect(found.peak).toBe(simulated(program))
      expect(found.atPeak.reduce((bytes, one) => bytes + one, 0)).toBe(found.peak)
      expect(found.held).toBe(28)
    }),
    { numRuns: 300 },
  )
})
