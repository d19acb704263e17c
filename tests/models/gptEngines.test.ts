import { Engine, Engines, flatten, float32, type HostTensors, int32, isParamSpec, mapTree, spec } from "@millrace/core"
import { type GptConfig, type GptParams, gptLogits, gptParams } from "@millrace/models"
import { Effect, ManagedRuntime } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { referenceLogits } from "./reference/gpt.js"
import { testParams } from "./reference/params.js"

const config: GptConfig = { vocab: 11, context: 6, width: 10, layers: 2, heads: 2 }
const specs = gptParams(config)
const shapes = flatten(specs, isParamSpec)
const flat = testParams(specs)
const params: HostTensors = Object.fromEntries(
  Object.entries(shapes).map(([name, { shape }]) => [name, float32(shape, flat[name]!)]),
)
const [b, t] = [2, 6]
type Rows = ReadonlyArray<ReadonlyArray<number>>

/** Logits `[b][t][v]` of two rows, compiled once: with a mask and without. */
const compiled = Effect.gen(function* () {
  const engine = yield* Engine
  const policy = yield* engine.allocate(params)
  const state = {
    policy: Object.fromEntries(Object.entries(shapes).map(([name, { shape }]) => [name, spec("float32", shape)])),
  }
  const tree = (tensors: Parameters<Parameters<Engine["Service"]["compile"]>[0]["body"]>[1]): GptParams =>
    mapTree(specs, isParamSpec, (name) => tensors[name]!) as GptParams
  const plain = yield* engine.compile({
    name: "logits",
    state,
    inputs: { tokens: spec("int32", [b, t]) },
    body: ({ policy }, { tokens }) => ({ outputs: { logits: gptLogits(config, tree(policy!), tokens!) } }),
  })
  const masked = yield* engine.compile({
    name: "masked",
    state,
    inputs: { tokens: spec("int32", [b, t]), mask: spec("float32", [b, t]) },
    body: ({ policy }, { tokens, mask }) => ({
      outputs: { logits: gptLogits(config, tree(policy!), tokens!, { mask: mask! }) },
    }),
  })
  return (rows: Rows, mask?: Rows) =>
    Effect.map(
      mask === undefined
        ? plain.run({ state: { policy }, inputs: { tokens: int32([b, t], rows.flat()) } })
        : masked.run({
            state: { policy },
            inputs: { tokens: int32([b, t], rows.flat()), mask: float32([b, t], mask.flat()) },
          }),
      ({ logits }) =>
        Array.from({ length: b }, (_, i) =>
          Array.from({ length: t }, (_, j) => {
            const at = (i * t + j) * config.vocab
            return [...logits!.data.subarray(at, at + config.vocab)]
          }),
        ),
    )
})

const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 2 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))

const of = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<Array<A>> =>
  fc.array(arbitrary, { minLength: t, maxLength: t })
const text = of(fc.nat(config.vocab - 1))
const ones = Array.from({ length: b }, () => Array.from({ length: t }, () => 1))

describe.each(["tfjs:cpu", "onnx"])("on %s", (engine) => {
  const runtime = runtimes.get(engine)!
  const withLogits = <A>(use: (logits: (rows: Rows, mask?: Rows) => Promise<number[][][]>) => Promise<A>): Promise<A> =>
    runtime.runPromise(
      Effect.scoped(
        Effect.flatMap(compiled, (logits) =>
          Effect.promise(() => use((rows, mask) => runtime.runPromise(logits(rows, mask)))),
        ),
      ),
    )

  test("logits equal the float64 loops within 1e-5, with a mask of ones and without", () =>
    withLogits(async (logits) => {
      const rows = [
        [3, 1, 4, 1, 5, 9],
        [2, 6, 5, 3, 5, 8],
      ]
      const expected = rows.map((row) => referenceLogits(config, flat, row)).flat(2)
      const scale = Math.max(...expected.map(Math.abs))
      for (const got of [await logits(rows), await logits(rows, ones)]) {
        const worst = Math.max(...got.flat(2).map((v, i) => Math.abs(v - expected[i]!) / scale))
        expect(worst).toBeLessThanOrEqual(1e-5)
      }
    }))

  test("a later token never changes an earlier logit, bit for bit", () =>
    withLogits((logits) =>
      fc.assert(
        fc.asyncProperty(text, fc.integer({ min: 1, max: t - 1 }), text, fc.boolean(), async (row, at, other, mask) => {
          const changed = row.map((id, i) => (i < at ? id : other[i]!))
          const [before, after] = await logits([row, changed], mask ? ones : undefined)
          expect(after!.slice(0, at)).toEqual(before!.slice(0, at))
        }),
        { numRuns: 30 },
      ),
    ))

  test("what stands at padding changes no logit of a real token, bit for bit, be it outside of the vocabulary", () =>
    withLogits((logits) =>
      fc.assert(
        fc.asyncProperty(text, of(fc.integer({ min: -5, max: 99 })), of(fc.boolean()), async (row, noise, real) => {
          const noisy = row.map((id, i) => (real[i] ? id : noise[i]!))
          const mask = real.map(Number)
          const [clean, dirty] = await logits([row, noisy], [mask, mask])
          expect(dirty!.filter((_, i) => real[i])).toEqual(clean!.filter((_, i) => real[i]))
          expect(dirty!.flat().every(Number.isFinite)).toBe(true)
        }),
        { numRuns: 30 },
      ),
    ))

  test("padding on the left changes no logit by more than rounding", () =>
    withLogits((logits) =>
      fc.assert(
        fc.asyncProperty(text, fc.integer({ min: 1, max: t - 1 }), async (row, padding) => {
          const [alone] = await logits([row, row])
          const shifted = [...row.slice(0, padding), ...row.slice(0, t - padding)]
          const mask = row.map((_, i) => (i < padding ? 0 : 1))
          const [padded] = await logits([shifted, shifted], [mask, mask])
          const worst = padded!.slice(padding).flatMap((l, i) => l.map((v, k) => Math.abs(v - alone![i]![k]!)))
          expect(Math.max(...worst)).toBeLessThanOrEqual(1e-5)
        }),
        { numRuns: 10 },
      ),
    ))
})
