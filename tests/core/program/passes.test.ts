import {
  captureSync,
  crossEntropy,
  defaultPasses,
  embed,
  gelu,
  type HostTensors,
  interpret,
  layerNorm,
  linear,
  optimize,
  type Program,
  printProgram,
  spec,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { hostOf, type Named, pure } from "./values.js"

const f = (...shape: ReadonlyArray<number>) => spec("float32", shape)
const i = (...shape: ReadonlyArray<number>) => spec("int32", shape)
const inputs = { x: f(2, 3), y: f(3), w: f(3, 3), z: f(2, 1, 3), n: i(2, 2) }

type T = tf.Tensor
/** A tensor as a table of rows, and three ids of it, of which two may be one. */
const matrixOf = (a: T): T => tf.reshape(a, [-1, a.shape.at(-1) ?? 1])
const idsOf = (a: T, k: number): T => {
  const rows = a.size / (a.shape.at(-1) ?? 1)
  return tf.tensor([k % rows, 0, (k + 1) % rows], [3], "int32")
}

/** One random step: from two tensors and a small number to a tensor. A step that does not fit is left out. */
const steps: ReadonlyArray<(a: T, b: T, k: number) => T> = [
  (a, b) => tf.add(a, b),
  (a, b) => tf.mul(a, b),
  (a, b) => tf.sub(a, b),
  (a, b) => tf.maximum(a, b),
  (a, b) => tf.squaredDifference(a, b),
  (a) => tf.mul(a, 1),
  (a) => tf.add(a, 0),
  (a) => tf.sub(a, tf.zeros(a.shape)),
  (a) => tf.div(a, 1),
  (a, _, k) => tf.div(a, k + 2),
  (a, _, k) => tf.mul(a, tf.fill([2, ...a.shape], k)),
  (a) => tf.mul(tf.onesLike(a), a),
  (a) => tf.add(a, tf.zerosLike(a)),
  (a, _, k) => tf.pow(a, k),
  (a) => tf.neg(a),
  (a) => tf.tanh(a),
  (a) => tf.exp(tf.clipByValue(a, -9, 9)),
  (a) => tf.relu(a),
  (a) => tf.cast(tf.cast(tf.greater(a, 0), "int32"), "float32"),
  (a) => tf.cast(a, "float32"),
  (a) => tf.transpose(a),
  (a) => tf.transpose(a, [...a.shape.keys()].reverse()),
  (a) =>
    tf.transpose(
      a,
      [...a.shape.keys()].map((axis) => (axis === a.rank - 1 ? a.rank - 2 : axis === a.rank - 2 ? a.rank - 1 : axis)),
    ),
  (a) => tf.reshape(a, [-1]),
  (a) => tf.reshape(a, [a.size, 1]),
  (a) => tf.reshape(a, [3, -1]),
  (a, _, k) => tf.expandDims(a, k % (a.rank + 1)),
  (a) => tf.squeeze(a),
  (a, b) => tf.matMul(a, b),
  (a, b) => tf.matMul(a, b, false, true),
  (a, b) => tf.transpose(tf.matMul(a, b, true)),
  (a, b) => tf.add(tf.matMul(a, b), tf.range(0, b.shape[1]!)),
  (a) => tf.sum(a),
  (a, _, k) => tf.sum(a, k % a.rank),
  (a, _, k) => tf.mean(a, k % a.rank, true),
  (a, _, k) =>
    tf.reshape(
      tf.max(a, k % a.rank),
      a.shape.map((d, axis) => (axis === k % a.rank ? 1 : d)),
    ),
  (a, b) => tf.concat([a, b], 0),
  (a, b) => tf.stack([a, b]),
  (a, _, k) =>
    tf.slice(
      a,
      a.shape.map((d) => Math.min(k, d - 1)),
    ),
  (a, _, k) =>
    tf.pad(
      a,
      a.shape.map(() => [0, k] as [number, number]),
    ),
  (a) =>
    tf.tile(
      a,
      a.shape.map((d) => (d === 1 ? 3 : 1)),
    ),
  (a) =>
    tf.add(
      tf.broadcastTo(
        tf.slice(
          a,
          a.shape.map(() => 0),
          a.shape.map(() => 1),
        ),
        a.shape,
      ),
      a,
    ),
  (a) => tf.unstack(a)[0]!,
  (a, b) => tf.where(tf.greater(a, b), a, b),
  (a) => tf.softmax(a),
  (a) => gelu(a),
  (a) => layerNorm(a, tf.ones([a.shape.at(-1)!]), tf.zeros([a.shape.at(-1)!])),
  (a) => tf.grad((v) => tf.sum(tf.tanh(v)))(a),
  (a) => tf.grad((v) => tf.mean(tf.mul(v, tf.mean(v, -1, true))))(a),
  (a, b) => tf.grad((v) => tf.sum(tf.square(tf.add(v, b))))(a),
  (a, b) => tf.grad((v) => tf.mean(tf.matMul(v, b)))(a),
  (a) => tf.sum(tf.square(a)),
  (a) => tf.sum(tf.mul(a, a)),
  (a) => tf.sum(tf.square(a), [...a.shape.keys()], true),
  (a, b, k) => tf.mul(tf.matMul(a, b, k > 1), k - 1.5),
  (a, b, k) => tf.mul(k / 4, tf.matMul(tf.transpose(a), tf.transpose(b))),
  (a, b, k) => tf.transpose(tf.mul(tf.matMul(a, b, false, k > 1), k - 0.5)),
  (a, _, k) => tf.grad((v) => tf.sum(tf.add(embed(v, idsOf(a, k)), embed(v, idsOf(a, k + 1)))))(matrixOf(a)),
  (a, b, k) => tf.add(b, tf.grad((v) => tf.mean(tf.square(embed(v, idsOf(a, k)))))(matrixOf(a))),
]

const arbitraryProgram: fc.Arbitrary<Program> = fc
  .array(fc.tuple(fc.nat(steps.length - 1), fc.nat(30), fc.nat(30), fc.nat(3)), { minLength: 1, maxLength: 14 })
  .map((chosen) =>
    captureSync(
      pure(inputs, ({ x, y, w, z, n }) => {
        const pool: Array<T> = [x!, y!, w!, z!, tf.cast(n!, "float32")]
        for (const [step, a, b, k] of chosen) {
          try {
            // The newest tensors are the likeliest operands: programs grow deep.
            const made = steps[step]!(pool.at(-1 - (a % pool.length))!, pool.at(-1 - (b % pool.length))!, k)
            if (made.size > 0 && made.size < 4000 && made.rank < 6) pool.push(made)
          } catch {}
        }
        return Object.fromEntries(pool.slice(-3).map((tensor, at) => [`out${at}`, tensor])) as Named
      }),
    ),
  )

/** Equal numbers; zeros of either sign are equal, and so are all that are not numbers. */
const expectSame = (got: HostTensors, wanted: HostTensors): void => {
  expect(Object.keys(got)).toEqual(Object.keys(wanted))
  for (const [name, { data, ...type }] of Object.entries(wanted)) {
    const { data: values, ...typeGot } = got[name]!
    expect(typeGot).toEqual(type)
    data.forEach((v, k) => {
      const same = values[k] === v || (Number.isNaN(v) && Number.isNaN(values[k]))
      if (!same) expect.fail(`${name}[${k}]: ${values[k]} instead of ${v}`)
    })
  }
}

describe("on random programs", () => {
  const laws: ReadonlyArray<readonly [string, (program: Program) => Program]> = [
    ...defaultPasses.map(({ name, run }) => [`the pass "${name}"`, run] as const),
    ["all passes together", optimize],
  ]
  for (const [name, run] of laws) {
    test(`${name} never changes a result, nor adds an equation`, () => {
      fc.assert(
        fc.property(arbitraryProgram, fc.nat(1000), (program, seed) => {
          const values = hostOf(inputs, seed)
          const after = run(program)
          expect(after.equations.length).toBeLessThanOrEqual(program.equations.length)
          expectSame(interpret(after, values), interpret(program, values))
        }),
        { numRuns: name.startsWith("all") ? 300 : 60 },
      )
    })
  }

  test("optimising twice is optimising once", () => {
    fc.assert(
      fc.property(arbitraryProgram, (program) => {
        const once = optimize(program)
        expect(optimize(once)).toBe(once)
        expect(optimize(structuredClone(once))).toEqual(once)
      }),
      { numRuns: 100 },
    )
  })

  test("every value has its own number, and equations make them in order", () => {
    fc.assert(
      fc.property(arbitraryProgram, (program) => {
        const { inputs, constants, equations } = optimize(program)
        const made = equations.flatMap(({ outputs }) => outputs.map(({ id }) => id))
        expect(made).toEqual(made.toSorted((a, b) => a - b))
        const all = [...[...inputs, ...constants].map(({ value }) => value.id), ...made]
        expect(new Set(all).size).toBe(all.length)
      }),
      { numRuns: 40 },
    )
  })
})

const optimized = (body: (inputs: Named) => Named): string => {
  const [, ...lines] = printProgram(optimize(captureSync(pure(inputs, body)))).split("\n")
  return lines.slice(0, -1).join("\n")
}

test("the gradient of a sum broadcasts instead of multiplying by ones", () => {
  expect(
    optimized(({ x }) => ({ g: tf.grad((v) => tf.sum(tf.mul(v, tf.sum(v, 1, true))))(x!) })),
  ).toMatchInlineSnapshot(`
    "  %1: float32[2, 1] = Sum(%x) axis=[1] keepDims=true
      %2: float32[2, 3] = Fill() dtype=float32 shape=[2, 3] value=1
      %3: float32[2, 1] = Add(%1, %1)
      %4: float32[2, 3] = Multiply(%3, %2)
      return g=%4"
  `)
})

test("a transpose becomes a flag of the matrix product, a bias its third operand", () => {
  expect(
    optimized(({ x, w, y }) => ({
      a: tf.add(tf.matMul(x!, tf.transpose(w!)), y!),
      b: tf.transpose(tf.matMul(x!, w!)),
    })),
  ).toMatchInlineSnapshot(`
    "  %1: float32[2, 3] = _FusedMatMul(%x, %w, %y) activation=linear transposeB=true
      %2: float32[3, 2] = BatchMatMul(%w, %x) transposeA=true transposeB=true
      return a=%1, b=%2"
  `)
})

test("the transpose that splits heads stays where it is", () => {
  expect(
    optimized(({ z }) => ({
      a: tf.transpose(tf.reshape(tf.tanh(tf.tile(z!, [1, 2, 2])), [2, 2, 2, 3]), [0, 2, 1, 3]),
    })),
  ).toMatchInlineSnapshot(`
    "  %1: float32[2, 2, 6] = Tile(%z) reps=[1, 2, 2]
      %2: float32[2, 2, 6] = Tanh(%1)
      %3: float32[2, 2, 2, 3] = Reshape(%2) shape=[2, 2, 2, 3]
      %4: float32[2, 2, 2, 3] = Transpose(%3) perm=[0, 2, 1, 3]
      return a=%4"
  `)
})

test("a large uniform constant stays symbolic", () => {
  const program = optimize(captureSync(pure({}, () => ({ a: tf.neg(tf.ones([1000, 1000])) }))))
  expect(program.constants).toEqual([])
  expect(program.equations.map(({ op }) => op)).toEqual(["Fill"])
})

test("a product with zero is kept, for the sake of what is not a number", () => {
  const program = optimize(captureSync(pure(inputs, ({ y }) => ({ a: tf.mul(y!, 0) }))))
  const values = {
    ...hostOf(inputs, 1),
    y: { ...f(3), data: Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY) },
  }
  expect(interpret(program, values).a!.data).toEqual(Float32Array.of(0, Number.NaN, Number.NaN))
})

test("a folded constant is an array of its own dtype, after a cast that loses nothing too", () => {
  const program = optimize(
    captureSync(
      pure(inputs, ({ x }) => {
        const mask = tf.greater(tf.tensor2d([[1, -1, 2]]), 0)
        return { y: tf.add(x!, tf.cast(mask, "float32")), z: tf.add(x!, tf.cast(tf.cast(mask, "int32"), "float32")) }
      }),
    ),
  )
  expect(program.constants.length).toBeGreaterThan(0)
  for (const { value, tensor } of program.constants) {
    const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[value.dtype]
    expect(tensor.data).toBeInstanceOf(array)
  }
})

test("an index out of range is left for the run, not folded", () => {
  const program = captureSync(pure({}, () => ({ a: tf.gather(tf.tensor([1, 2]), tf.tensor([5], [1], "int32")) })))
  expect(optimize(program).equations).toHaveLength(1)
})

test("a block of a language model optimises to this", () => {
  const specs = { table: f(7, 4), ids: i(2, 3), labels: i(2, 3), w: f(4, 7), bias: f(7), gain: f(4), shift: f(4) }
  const fn = pure(specs, ({ table, ids, labels, w, bias, gain, shift }) => {
    const loss = (t: T, weight: T, by: T): T =>
      tf.mean(
        crossEntropy(
          linear(layerNorm(gelu(embed(t, ids!)), gain as tf.Tensor1D, by as tf.Tensor1D), weight, bias),
          labels!,
        ),
      )
    const { value, grads } = tf.valueAndGrads(loss)([table!, w!, shift!])
    return { value, table: grads[0]!, w: grads[1]!, shift: grads[2]! }
  })
  const program = captureSync(fn)
  const fast = optimize(program)
  expect(`\n${printProgram(fast)}\n`).toMatchInlineSnapshot(`
    "
    program f(table: float32[7, 4], ids: int32[2, 3], labels: int32[2, 3], w: float32[4, 7], bias: float32[7], gain: float32[4], shift: float32[4]) {
      %1: float32[] = constant 1
      %2: float32[] = constant 4
      %3: float32[] = constant 0.0713548
      %4: float32[] = constant 1.59577
      %5: float32[] = constant 3
      %6: int32[6] = constant 0, 7, 14, 21, …
      %7: float32[] = constant 0.166667
      %8: int32[6] = Reshape(%ids) shape=[6]
      %9: float32[6, 4] = GatherV2(%table, %8) axis=0 batchDims=0
      %10: float32[2, 3, 4] = Reshape(%9) shape=[2, 3, 4]
      %11: float32[2, 3, 4] = GeluTanh(%10)
      %12: float32[6, 4] = Reshape(%11) shape=[6, 4]
      %13: float32[6, 4], %14: float32[6, 1], %15: float32[6, 1] = LayerNorm(%12, %gain, %shift) epsilon=0.00001
      %16: float32[6, 7] = _FusedMatMul(%13, %w, %bias) activation=linear
      %17: float32[6, 7] = LogSoftmax(%16) axis=1
      %18: int32[6] = Reshape(%labels) shape=[6]
      %19: int32[6] = Add(%6, %18)
      %20: float32[42] = Reshape(%17) shape=[42]
      %21: float32[6] = GatherV2(%20, %19) axis=0 batchDims=0
      %22: float32[6] = Neg(%21)
      %23: float32[2, 3] = Reshape(%22) shape=[2, 3]
      %24: float32[] = Mean(%23) axis=[0, 1]
      %25: float32[6, 7] = Exp(%17)
      %26: float32[6, 7] = Multiply(%25, %7)
      %27: float32[42] = Reshape(%26) shape=[42]
      %28: float32[6] = Exp(%21)
      %29: float32[6] = Sub(%28, %1)
      %30: float32[6] = Multiply(%29, %7)
      %31: int32[6, 1] = Reshape(%19) shape=[6, 1]
      %32: float32[42] = TensorScatterUpdate(%27, %31, %30)
      %33: float32[6, 7] = Reshape(%32) shape=[6, 7]
      %34: float32[6, 4] = BatchMatMul(%33, %w) transposeB=true
      %35: float32[4, 7] = BatchMatMul(%13, %33) transposeA=true
      %36: float32[6, 4] = Sub(%12, %14)
      %37: float32[6, 4] = Multiply(%36, %15)
      %38: float32[6, 4] = Multiply(%34, %37)
      %39: float32[4] = RealDiv(%gain, %2)
      %40: float32[4, 1] = Reshape(%39) shape=[4, 1]
      %41: float32[6, 1] = BatchMatMul(%34, %40)
      %42: float32[6, 1] = BatchMatMul(%38, %40)
      %43: float32[6, 4] = Multiply(%34, %gain)
      %44: float32[6, 4] = Sub(%43, %41)
      %45: float32[6, 4] = Multiply(%37, %42)
      %46: float32[6, 4] = Sub(%44, %45)
      %47: float32[6, 4] = Multiply(%46, %15)
      %48: float32[4] = Sum(%34) axis=[0]
      %49: float32[2, 3, 4] = Reshape(%47) shape=[2, 3, 4]
      %50: float32[2, 3, 4] = Square(%10)
      %51: float32[2, 3, 4] = Multiply(%50, %3)
      %52: float32[2, 3, 4] = Add(%51, %4)
      %53: float32[2, 3, 4] = Multiply(%10, %52)
      %54: float32[2, 3, 4] = Sigmoid(%53)
      %55: float32[2, 3, 4] = Multiply(%51, %5)
      %56: float32[2, 3, 4] = Add(%55, %4)
      %57: float32[2, 3, 4] = Multiply(%11, %54)
      %58: float32[2, 3, 4] = Sub(%11, %57)
      %59: float32[2, 3, 4] = Multiply(%58, %56)
      %60: float32[2, 3, 4] = Add(%54, %59)
      %61: float32[2, 3, 4] = Multiply(%49, %60)
      %62: float32[6, 4] = Reshape(%61) shape=[6, 4]
      %63: float32[7, 4] = EmbedGrad(%8, %62) vocabulary=7
      return value=%24, table=%63, w=%35, shift=%48
    }
    "
  `)
  const values = hostOf(specs, 5)
  expectSame(interpret(fast, values), interpret(program, values))
})
