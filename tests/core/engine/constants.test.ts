/** Loops for which an engine may build the weights into the program: nothing but their duration tells. */
import { Engine, type Executable, float32, type State, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { on } from "./on.js"

// So wide that the matrix is no part of the file that the engine writes, and the vector is.
const [rows, width] = [3, 6]
const weights = (k: number) => ({
  w: float32(
    [width, width],
    Float32Array.from({ length: width * width }, (_, i) => Math.sin(12.9 * i + k)),
  ),
  bias: float32(
    [width],
    Float32Array.from({ length: width }, (_, i) => Math.cos(i + k)),
  ),
  scale: float32([], [0.5 + k / 8]),
})
const policySpecs = { w: spec("float32", [width, width]), bias: spec("float32", [width]), scale: spec("float32", []) }
const memorySpecs = { mean: spec("float32", [rows, width]) }

/** x ← tanh(scale · x W + bias), and a running mean that the scale decides. */
const roll: TensorFunction = {
  name: "roll",
  state: { policy: policySpecs, memory: memorySpecs },
  inputs: { x: spec("float32", [rows, width]) },
  body: ({ policy, memory }, { x }) => {
    const y = tf.tanh(tf.add(tf.mul(tf.matMul(x!, policy!.w!), policy!.scale!), policy!.bias!))
    return {
      outputs: { y },
      state: { memory: { mean: tf.add(tf.mul(memory!.mean!, policy!.scale!), y) } },
    }
  },
}
/** A step of descent on the same weights. */
const learn: TensorFunction = {
  name: "learn",
  state: { policy: policySpecs },
  inputs: { x: spec("float32", [rows, width]) },
  body: ({ policy }, { x }) => {
    const loss = (...[w, bias]: ReadonlyArray<tf.Tensor>): tf.Scalar =>
      tf.sum(tf.square(tf.add(tf.matMul(x!, w!), bias!)))
    const { value, grads } = tf.valueAndGrads(loss)([policy!.w!, policy!.bias!])
    return {
      outputs: { loss: value },
      state: {
        policy: {
          w: tf.sub(policy!.w!, tf.mul(grads[0]!, 0.1)),
          bias: tf.sub(policy!.bias!, tf.mul(grads[1]!, 0.1)),
          scale: tf.mul(policy!.scale!, 0.9),
        },
      },
    }
  },
}

const start = float32(
  [rows, width],
  Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i)),
)
const zero = { mean: float32([rows, width], new Float32Array(rows * width)) }
const prepared = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  const memory = yield* allocate(zero)
  const executable = yield* compile(roll)
  /** Outputs of every step, and the mean that is left. */
  const rolled = (policy: State, constants?: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      yield* memory.write(zero)
      const { y } = yield* executable.loop({
        state: { policy, memory },
        steps: 6,
        inputs: {},
        first: { x: start },
        carry: { y: "x" },
        collect: ["y"],
        ...(constants === undefined ? {} : { constants }),
      })
      return [...y!.data, ...(yield* memory.read()).mean!.data]
    })
  return { compile, allocate, executable, memory, rolled }
})

/** Throws unless numbers agree within 1e-5; all of them are of the order of 1. */
const expectClose = (got: ReadonlyArray<number>, wanted: ReadonlyArray<number>): void => {
  expect(got).toHaveLength(wanted.length)
  expect(Math.max(...got.map((v, i) => Math.abs(v - wanted[i]!)))).toBeLessThanOrEqual(1e-5)
}
/** That weights differ must show far above the tolerance. */
const expectFar = (got: ReadonlyArray<number>, other: ReadonlyArray<number>): void =>
  expect(Math.max(...got.map((v, i) => Math.abs(v - other[i]!)))).toBeGreaterThan(1e-2)

describe.each(["onnx", "tfjs:cpu"])("%s", (engine) => {
  test("a loop with constants gives what it gives without, and so does the loop after it", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, rolled } = yield* prepared
        const policy = yield* allocate(weights(1))
        const plain = yield* rolled(policy)
        for (let i = 0; i < 3; i++) expectClose(yield* rolled(policy, ["policy"]), plain)
        expect(yield* rolled(policy)).toEqual(plain)
        expect(yield* rolled(policy, [])).toEqual(plain)
      }),
    ))

  test("after a write of one weight or of all, it is the new ones that count", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, rolled } = yield* prepared
        const policy = yield* allocate(weights(1))
        let last = yield* rolled(policy, ["policy"])
        for (const values of [weights(2), { bias: weights(5).bias }, { scale: weights(7).scale }, weights(1)]) {
          yield* policy.write(values)
          const now = yield* rolled(policy, ["policy"])
          expectFar(now, last)
          expectClose(now, yield* rolled(policy))
          last = now
        }
      }),
    ))

  test("after a step of training on the same state, it is the new weights that count", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, compile, rolled } = yield* prepared
        const policy = yield* allocate(weights(1))
        const step = yield* compile(learn)
        let last = yield* rolled(policy, ["policy"])
        for (let i = 0; i < 3; i++) {
          yield* step.run({ state: { policy }, inputs: { x: start } })
          const now = yield* rolled(policy, ["policy"])
          expectFar(now, last)
          expectClose(now, yield* rolled(policy))
          last = now
        }
      }),
    ))

  test("two policies that take turns each keep their own weights", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, rolled } = yield* prepared
        const policies = [yield* allocate(weights(1)), yield* allocate(weights(2))]
        const plain = [yield* rolled(policies[0]!), yield* rolled(policies[1]!)]
        expectFar(plain[0]!, plain[1]!)
        for (const i of [0, 1, 0, 0, 1, 1, 0]) expectClose(yield* rolled(policies[i]!, ["policy"]), plain[i]!)
      }),
    ))

  test("one function compiled twice, and one released in between, take nothing from each other", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, rolled } = yield* prepared
        const policy = yield* allocate(weights(1))
        const plain = yield* rolled(policy, ["policy"])
        const inner = yield* Effect.scoped(Effect.flatMap(prepared, (second) => second.rolled(policy, ["policy"])))
        expectClose(inner, plain)
        expect(yield* rolled(policy, ["policy"])).toEqual(plain)
      }),
    ))

  test("a table of which rows are looked up, and that is multiplied too, counts as it is written last in both", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const tied = yield* compile({
          name: "tied",
          state: { policy: { table: spec("float32", [width, width]), alone: spec("float32", [width, width]) } },
          inputs: { row: spec("int32", [rows]) },
          body: ({ policy }, { row }) => {
            const found = tf.add(tf.gather(policy!.table!, row!), tf.gather(policy!.alone!, row!))
            const scores = tf.matMul(found, policy!.table!, false, true)
            return { outputs: { scores, next: tf.cast(tf.argMax(scores, 1), "int32") } }
          },
        })
        const policy = yield* allocate({ table: weights(1).w, alone: weights(2).w })
        const scores = (constants: ReadonlyArray<string>) =>
          Effect.map(
            tied.loop({
              state: { policy },
              steps: 4,
              inputs: {},
              first: { row: { dtype: "int32", shape: [rows], data: Int32Array.from([0, 4, 5]) } },
              carry: { next: "row" },
              collect: ["scores"],
              constants,
            }),
            (made) => [...made.scores!.data],
          )
        let last = yield* scores(["policy"])
        expectClose(last, yield* scores([]))
        for (const values of [{ table: weights(3).w }, { alone: weights(4).w }, { table: weights(1).w }]) {
          yield* policy.write(values)
          const now = yield* scores(["policy"])
          expectFar(now, last)
          expectClose(now, yield* scores([]))
          last = now
        }
      }),
    ))

  const refused = (executable: Executable, state: Record<string, State>, constants: ReadonlyArray<string>) =>
    Effect.flip(
      executable.loop({ state, steps: 2, inputs: {}, first: { x: start }, carry: { y: "x" }, collect: [], constants }),
    )

  test("a constant that is no slot is an error that names it, before anything runs", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, executable, memory } = yield* prepared
        const policy = yield* allocate(weights(1))
        const error = yield* refused(executable, { policy, memory }, ["policy", "polcy"])
        expect(error._tag).toBe("ShapeMismatch")
        expect(error.received).toContain("polcy")
        expect([...(yield* memory.read()).mean!.data]).toEqual([...zero.mean.data])
      }),
    ))

  test("a constant that the function writes is an error that names it, and the state is as it was", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate, executable, memory } = yield* prepared
        const policy = yield* allocate(weights(1))
        const error = yield* refused(executable, { policy, memory }, ["memory"])
        expect(error._tag).toBe("ShapeMismatch")
        expect(error.received).toContain("memory/mean")
        expect([...(yield* memory.read()).mean!.data]).toEqual([...zero.mean.data])
      }),
    ))

  test("a constant whose state another slot writes is an error that names what is written", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const twice = yield* compile({
          name: "twice",
          state: { s: { p: spec("float32", [2]) }, same: { p: spec("float32", [2]) } },
          inputs: {},
          body: ({ s, same }) => ({ outputs: { p: tf.clone(same!.p!) }, state: { s: { p: tf.add(s!.p!, same!.p!) } } }),
        })
        const [s, other] = [yield* allocate({ p: float32([2], [1, 2]) }), yield* allocate({ p: float32([2], [1, 2]) })]
        const call = { steps: 2, inputs: {}, collect: ["p"], constants: ["same"] }
        const error = yield* Effect.flip(twice.loop({ ...call, state: { s, same: s } }))
        expect(error.received).toContain("s/p")
        yield* twice.loop({ ...call, state: { s, same: other } })
        expect([...(yield* s.read()).p!.data]).toEqual([3, 6])
      }),
    ))
})
