import { Engine, Engines, type HostTensors, spec, type TensorFunction, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { gradientCases } from "./gradientCases.js"
import { sizeOf, type Values } from "./plain.js"

const entries = Object.entries(gradientCases)

/** Numbers of the domain in a scattered order, at least a hundredth apart: no two are tied, none is near a kink. */
const drawn = (count: number, [low, high]: readonly [number, number], seed: number): Values =>
  Array.from({ length: count }, (_, i) => {
    const place = ((i * 37 + seed * 11) % 101) + 0.31 + 0.0013 * i
    return Math.fround(low + ((high - low) * place) / 102)
  })

const inputsOf = (seed: number): ReadonlyArray<ReadonlyArray<Values>> =>
  entries.map(([, { shapes, domain }], n) =>
    shapes.map((shape, i) => drawn(sizeOf(shape), domain ?? [-2, 2], seed + n + 5 * i)),
  )

/** Another weight for every element of a result, so that each has another dy. */
const weightsOf = (count: number): Values => Array.from({ length: count }, (_, i) => Math.fround(Math.cos(1 + 1.7 * i)))

const everyGradient: TensorFunction = {
  name: "gradients",
  state: {},
  inputs: Object.fromEntries(
    entries.flatMap(([, { shapes }], n) => shapes.map((shape, i) => [`${n}.${i}`, spec("float32", shape)])),
  ),
  body: (_, given) => ({
    outputs: Object.fromEntries(
      entries.flatMap(([name, { shapes, op: named }], n) => {
        const op = (...x: ReadonlyArray<tf.Tensor>): tf.Tensor => withPath(name, () => named(...x))
        const args = shapes.map((_, i) => given[`${n}.${i}`]!)
        const loss = (...x: Array<tf.Tensor>): tf.Tensor => {
          const y = op(...x)
          return tf.sum(tf.mul(y, tf.tensor([...weightsOf(y.size)], y.shape)))
        }
        return [
          [`${n}.y`, op(...args)] as const,
          ...tf
            .grads(loss)(args)
            .map((grad, i) => [`${n}.d${i}`, grad] as const),
        ]
      }),
    ),
  }),
}

const runOn = (engine: string, inputs: ReadonlyArray<HostTensors>): Promise<ReadonlyArray<HostTensors>> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(everyGradient)
    return yield* Effect.forEach(inputs, (values) => run({ inputs: values }))
  }).pipe(Effect.scoped, Effect.provide(Engines.layer(engine, { threads: 2 })), Effect.runPromise)

/** d/dx Σ weights · f(x), by central differences in float64. */
const differences = (f: (x: Values) => Values, x: Values): Values => {
  const weights = weightsOf(f(x).length)
  const step = 1e-5
  const total = (i: number, by: number): number => f(x.with(i, x[i]! + by)).reduce((n, v, k) => n + v * weights[k]!, 0)
  return x.map((_, i) => (total(i, step) - total(i, -step)) / (2 * step))
}

const seeds = [1, 2]
const hosts = seeds.map((seed): HostTensors => {
  const values = inputsOf(seed)
  return Object.fromEntries(
    entries.flatMap(([, { shapes }], n) =>
      shapes.map((shape, i) => [
        `${n}.${i}`,
        { dtype: "float32" as const, shape, data: Float32Array.from(values[n]![i]!) },
      ]),
    ),
  )
})

/** The largest number sets the scale: what is summed of large numbers is no more exact than they are. */
const wrong = (got: ArrayLike<number>, wanted: Values, tolerance: number, what: string): ReadonlyArray<string> => {
  if (got.length !== wanted.length) return [`${what} has ${got.length} elements, not ${wanted.length}`]
  const scale = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
  const k = wanted.findIndex((v, i) => !(Math.abs(got[i]! - v) <= tolerance * scale))
  return k < 0 ? [] : [`${what}[${k}] is ${got[k]} instead of ${wanted[k]}`]
}

/** Of every seed and case the result, and the slopes with respect to each input. */
const expected = seeds.map((seed) => {
  const inputs = inputsOf(seed)
  return entries.map(([, { plain }], n) => {
    const x = inputs[n]!
    const slopes = x.map((values, i) => differences((moved) => plain(...x.with(i, moved)), values))
    return { y: plain(...x), slopes }
  })
})

test.each(["onnx", "tfjs:cpu"])(
  "on %s every result is that of a plain loop, and every gradient its slope",
  async (engine) => {
    const made = await runOn(engine, hosts)
    const found = expected.flatMap((cases, k) =>
      cases.flatMap(({ y, slopes }, n) => {
        const name = entries[n]![0]
        return [
          ...wrong(made[k]![`${n}.y`]!.data, y, 1e-5, name),
          ...slopes.flatMap((slope, i) => wrong(made[k]![`${n}.d${i}`]!.data, slope, 2e-5, `gradient ${i} of ${name}`)),
        ]
      }),
    )
    expect(found).toEqual([])
  },
)
