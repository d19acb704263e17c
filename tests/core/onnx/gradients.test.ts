import { Engine, Engines, type HostTensors, spec, type TensorFunction, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { gradientCases } from "./gradientCases.js"
import { inputsOf, slopesOf, weighted, wrong } from "./slopes.js"

const entries = Object.entries(gradientCases)

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
        return [
          [`${n}.y`, op(...args)] as const,
          ...tf
            .grads((...x) => weighted(op(...x)))(args)
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

const drawn = [1, 2].map((seed) => entries.map(([, each], n) => inputsOf(each, seed + n)))

const hosts = drawn.map(
  (cases): HostTensors =>
    Object.fromEntries(
      cases.flatMap((inputs, n) =>
        inputs.map((values, i) => [
          `${n}.${i}`,
          { dtype: "float32" as const, shape: entries[n]![1].shapes[i]!, data: Float32Array.from(values) },
        ]),
      ),
    ),
)

/** The result and the slopes of every case, for every draw. */
const expected = drawn.map((cases) =>
  cases.map((x, n) => ({ y: entries[n]![1].plain(...x), slopes: slopesOf(entries[n]![1], x) })),
)

test.each(["onnx", "tfjs:cpu"])(
  "on %s every result is that of a plain loop, and every gradient its slope",
  async (engine) => {
    const made = await runOn(engine, hosts)
    const found = expected.flatMap((cases, k) =>
      cases.flatMap(({ y, slopes }, n) => {
        const results = [
          [entries[n]![0], wrong(made[k]![`${n}.y`]!.data, y, 1e-5)] as const,
          ...slopes.map(
            (slope, i) =>
              [`gradient ${i} of ${entries[n]![0]}`, wrong(made[k]![`${n}.d${i}`]!.data, slope, 2e-5)] as const,
          ),
        ]
        return results.flatMap(([what, fault]) => (fault === null ? [] : [`${what}: ${fault}`]))
      }),
    )
    expect(found).toEqual([])
  },
)
