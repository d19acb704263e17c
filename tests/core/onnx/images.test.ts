import { Engine, Engines, type HostTensor, type HostTensors, type TensorFunction } from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { type ImageCase, imageCase, imageOutputs, imageSpecs, imageValues } from "./imageCases.js"
import { uniforms } from "./uniforms.js"

const under = <A>(i: number, record: Readonly<Record<string, A>>): Record<string, A> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [`${i}/${name}`, value]))

/** Many cases as one function, whose names begin with the number of the case. */
const functionOf = (cases: ReadonlyArray<ImageCase>): TensorFunction => ({
  name: "images",
  state: {},
  inputs: Object.assign({}, ...cases.map((drawn, i) => under(i, imageSpecs(drawn)))),
  body: (_, given) => ({
    outputs: Object.assign(
      {},
      ...cases.map((drawn, i) => {
        const own = Object.keys(imageSpecs(drawn)).map((name) => [name, given[`${i}/${name}`]!] as const)
        return under(i, imageOutputs(drawn, Object.fromEntries(own)))
      }),
    ),
  }),
})

const runOn = (engine: string, fn: TensorFunction, inputs: HostTensors): Promise<HostTensors> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(fn)
    return yield* run({ inputs })
  }).pipe(Effect.scoped, Effect.provide(Engines.layer(engine, { threads: 2 })), Effect.runPromise)

const difference = (got: HostTensor, wanted: HostTensor): string | null => {
  if (got.dtype !== wanted.dtype) return `${got.dtype} instead of ${wanted.dtype}`
  if (String(got.shape) !== String(wanted.shape)) return `[${got.shape}] instead of [${wanted.shape}]`
  // Sums that cancel are rounded as what they are made of.
  const scale = Array.from(wanted.data).reduce((top, v) => Math.max(top, Math.abs(v)), 1)
  const i = wanted.data.findIndex((v, k) => !(Math.abs(got.data[k]! - v) <= 1e-5 * scale))
  return i < 0 ? null : `${got.data[i]} instead of ${wanted.data[i]} at ${i}`
}

test("kernels of images and their gradients give on ONNX Runtime what they give on tfjs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(imageCase, { minLength: 5, maxLength: 5 }), fc.integer(), async (cases, seed) => {
      const fn = functionOf(cases)
      const uniform = uniforms(seed)
      const inputs: HostTensors = Object.assign({}, ...cases.map((drawn, i) => under(i, imageValues(drawn, uniform))))
      const [got, wanted] = await Promise.all([runOn("onnx", fn, inputs), runOn("tfjs:cpu", fn, inputs)])
      const wrong = Object.keys(wanted).flatMap((name) => {
        const found = difference(got[name]!, wanted[name]!)
        return found === null ? [] : [`${name}: ${found} in ${JSON.stringify(cases[Number.parseInt(name, 10)])}`]
      })
      expect(wrong).toEqual([])
    }),
    { numRuns: 3, endOnFailure: true },
  )
})
