import {
  BadLength,
  capture,
  captureSync,
  EngineFailed,
  embed,
  gelu,
  interpret,
  layerNorm,
  linear,
  NodeFailed,
  optimize,
  printProgram,
  programHash,
  ShapeMismatch,
  type Specs,
  spec,
  UnsupportedOp,
  ValueDuringCapture,
  withPath,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { eager, hostOf, type Named, pure } from "./values.js"

const f = (...shape: ReadonlyArray<number>) => spec("float32", shape)
const i = (...shape: ReadonlyArray<number>) => spec("int32", shape)
const b = (...shape: ReadonlyArray<number>) => spec("bool", shape)

test("a program is printed one equation a line, with the path of each", () => {
  const fn = pure({ x: f(2, 3), w: f(3, 4) }, ({ x, w }) => ({
    y: withPath("mlp", () => withPath("hidden", () => tf.relu(tf.matMul(x!, w!)))),
    n: tf.mul(x!, 2),
  }))
  expect(printProgram(captureSync(fn))).toMatchInlineSnapshot(`
    "program f(x: float32[2, 3], w: float32[3, 4]) {
      %1: float32[] = constant 2
      %2: float32[2, 4] = BatchMatMul(%x, %w)   # mlp > hidden
      %3: float32[2, 4] = Relu(%2)   # mlp > hidden
      %4: float32[2, 3] = Multiply(%x, %1)
      return y=%3, n=%4
    }"
  `)
})

const train = {
  name: "sgd",
  state: { policy: { w: f(3, 1), unused: f(2) } },
  inputs: { x: f(4, 3), y: f(4, 1) },
  body: (state: Readonly<Record<string, Named>>, { x, y }: Named) => {
    const loss = (w: tf.Tensor): tf.Scalar =>
      tf.mean(
        tf.square(
          tf.sub(
            withPath("model", () => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)),
            y!,
          ),
        ),
      )
    const { value, grad } = tf.valueAndGrad(loss)(state.policy!.w!)
    return { outputs: { loss: value }, state: { policy: { w: tf.sub(state.policy!.w!, tf.mul(grad, 0.1)) } } }
  },
}

test("a training step is one program; state that is not returned is no output", () => {
  expect(printProgram(optimize(captureSync(train)))).toMatchInlineSnapshot(`
    "program sgd(policy/w: float32[3, 1], policy/unused: float32[2], x: float32[4, 3], y: float32[4, 1]) {
      %1: float32[] = constant 2
      %2: float32[] = constant 0.25
      %3: float32[4, 1] = BatchMatMul(%x, %policy/w)   # model
      %4: float32[4, 1] = Sub(%3, %y)
      %5: float32[4, 1] = Square(%4)
      %6: float32[] = Mean(%5) axis=[0, 1]
      %7: float32[4, 1] = Multiply(%4, %1)
      %8: float32[4, 1] = Multiply(%2, %7)
      %9: float32[3, 1] = ScaledMatMul(%x, %8) scale=0.10000000149011612 transposeA=true   # model
      %10: float32[3, 1] = Sub(%policy/w, %9)
      return loss=%6, policy/w=%10
    }"
  `)
})

test("an equation of the backward pass carries the path of its forward operation", () => {
  const paths = captureSync(train)
    .equations.filter(({ op }) => op === "BatchMatMul")
    .map(({ path }) => path)
  expect(paths).toEqual(["model", "model"])
})

test("interpreting a training step updates the state as eager tfjs does", () => {
  const inputs = { ...hostOf(train.inputs, 1), ...hostOf({ "policy/w": f(3, 1), "policy/unused": f(2) }, 2) }
  const out = interpret(captureSync(train), inputs)
  const [x, y, w] = [inputs.x!, inputs.y!, inputs["policy/w"]!].map((t) =>
    tf.tensor2d(t.data, t.shape as [number, number]),
  )
  const error = tf.sub(tf.matMul(x!, w!), y!)
  const next = tf.sub(w!, tf.mul(tf.matMul(x!, error, true, false), 0.05))
  expect(Object.keys(out)).toEqual(["loss", "policy/w"])
  const expected = next.dataSync()
  out["policy/w"]!.data.forEach((v, k) => {
    expect(v).toBeCloseTo(expected[k]!, 6)
  })
})

describe("a captured program computes what eager tfjs computes, bit for bit", () => {
  const functions: ReadonlyArray<readonly [string, Specs, (inputs: Named) => Named]> = [
    [
      "arithmetic",
      { x: f(2, 3), y: f(3) },
      ({ x, y }) => ({ z: tf.div(tf.sub(tf.mul(x!, y!), 3), tf.add(tf.abs(y!), 1)) }),
    ],
    [
      "int arithmetic",
      { x: i(4), y: i(4) },
      ({ x, y }) => ({ z: tf.add(tf.mul(x!, y!), tf.sub(x!, 1)), q: tf.floorDiv(x!, tf.add(y!, 1)) }),
    ],
    ["mixed dtypes", { x: f(3), y: i(3) }, ({ x, y }) => ({ z: tf.add(x!, y!), e: tf.exp(y!), d: tf.div(y!, 2) })],
    [
      "more arithmetic",
      { x: f(5), y: f(5) },
      ({ x, y }) => ({
        a: tf.mod(x!, y!),
        b: tf.pow(tf.abs(x!), y!),
        c: tf.squaredDifference(x!, y!),
        d: tf.maximum(x!, y!),
        e: tf.minimum(x!, 0.3),
        f: tf.atan2(x!, y!),
        g: tf.addN([x!, y!, x!]),
      }),
    ],
    [
      "unary",
      { x: f(9) },
      ({ x }) => ({
        a: tf.neg(x!),
        b: tf.sign(x!),
        c: tf.exp(x!),
        d: tf.expm1(x!),
        e: tf.log1p(tf.abs(x!)),
        f: tf.rsqrt(tf.abs(x!)),
        g: tf.sigmoid(x!),
        h: tf.softplus(x!),
        i: tf.tanh(x!),
        j: tf.relu6(x!),
        k: tf.leakyRelu(x!),
        l: tf.elu(x!),
        m: tf.selu(x!),
        n: tf.erf(x!),
        o: tf.floor(x!),
        p: tf.ceil(x!),
        q: tf.round(x!),
        r: tf.step(x!, 0.5),
        s: tf.clipByValue(x!, -1, 0.5),
        t: tf.reciprocal(x!),
        u: tf.square(x!),
        v: tf.sin(x!),
        w: tf.cos(x!),
        x: tf.tan(x!),
        y: tf.log(tf.abs(x!)),
        z: tf.sqrt(tf.abs(x!)),
      }),
    ],
    [
      "logic",
      { x: f(6), y: f(6) },
      ({ x, y }) => ({
        a: tf.logicalAnd(tf.greater(x!, y!), tf.less(x!, 1)),
        b: tf.logicalOr(tf.greaterEqual(x!, y!), tf.lessEqual(y!, 0)),
        c: tf.logicalNot(tf.equal(x!, y!)),
        d: tf.where(tf.notEqual(x!, y!), x!, y!),
        e: tf.isNaN(tf.log(x!)),
        f: tf.isFinite(tf.log(x!)),
        g: tf.isInf(x!),
      }),
    ],
    [
      "bool",
      { x: b(2, 3) },
      ({ x }) => ({
        a: tf.any(x!, 0),
        b: tf.all(x!),
        c: tf.sum(x!, 1),
        d: tf.cast(x!, "float32"),
        e: tf.where(x!, tf.ones([2, 3]), tf.zeros([2, 3])),
      }),
    ],
    [
      "reductions",
      { x: f(2, 3, 4) },
      ({ x }) => ({
        a: tf.sum(x!),
        b: tf.mean(x!, [0, 2]),
        c: tf.max(x!, -1, true),
        d: tf.min(x!, 1),
        e: tf.prod(x!, 0),
        f: tf.argMax(x!, -1),
        g: tf.argMin(x!, 1),
        h: tf.sum(x!, [2, 0], true),
      }),
    ],
    [
      "int reductions",
      { x: i(2, 3) },
      ({ x }) => ({ a: tf.sum(x!), b: tf.mean(x!, 0), c: tf.max(x!, 1), d: tf.prod(x!, 1), e: tf.cumsum(x!, 1) }),
    ],
    [
      "scans",
      { x: f(2, 5) },
      ({ x }) => ({ a: tf.cumsum(x!, 1), b: tf.cumsum(x!, 0, true, true), c: tf.cumprod(x!, 1) }),
    ],
    [
      "layout",
      { x: f(2, 3, 4) },
      ({ x }) => ({
        a: tf.reshape(x!, [6, -1]),
        b: tf.transpose(x!, [2, 0, 1]),
        c: tf.expandDims(x!, -1),
        d: tf.squeeze(tf.expandDims(x!, 1)),
        e: tf.reverse(x!, [0, -1]),
        f: tf.tile(x!, [1, 2, 1]),
        g: tf.pad(
          x!,
          [
            [0, 0],
            [1, 2],
            [0, 1],
          ],
          7,
        ),
        h: tf.broadcastTo(tf.slice(x!, [0, 1, 0], [2, 1, -1]), [2, 3, 4]),
      }),
    ],
    [
      "parts",
      { x: f(4, 6) },
      ({ x }) => ({
        ...Object.fromEntries(tf.split(x!, 3, 1).map((t, k) => [`a${k}`, t])),
        ...Object.fromEntries(tf.split(x!, [1, 3], 0).map((t, k) => [`b${k}`, t])),
        ...Object.fromEntries(tf.unstack(x!).map((t, k) => [`c${k}`, t])),
        d: tf.slice(x!, [1], [2]),
        e: tf.stridedSlice(x!, [0, 5], [4, 0], [2, -2]),
        f: tf.concat([x!, x!], 1),
        g: tf.stack([x!, x!], -1),
      }),
    ],
    [
      "indexing",
      { x: f(4, 3), k: i(2, 2), at: i(3, 2) },
      ({ x, k, at }) => ({
        a: tf.gather(x!, k!),
        b: tf.gather(x!, tf.reshape(k!, [4]), 1),
        c: tf.gatherND(x!, at!),
        d: tf.oneHot(k!, 4),
        e: tf.oneHot(k!, 3, 2, -1, "float32"),
        f: tf.unsortedSegmentSum(x!, tf.concat([tf.reshape(k!, [4])]) as tf.Tensor1D, 3),
        g: tf.scatterND(at!, tf.range(0, 3), [3, 3]),
        h: tf.tensorScatterUpdate(
          tf.zeros([3, 3]),
          tf.range(0, 3, 1, "int32").reshape([3, 1]) as tf.Tensor2D,
          tf.slice(x!, [0, 0], [3, 3]),
        ),
      }),
    ],
    ["batched gather", { x: f(2, 4, 3), k: i(2, 5) }, ({ x, k }) => ({ a: tf.gather(x!, k!, 1, 1) })],
    [
      "generators",
      { x: f(2) },
      ({ x }) => ({
        a: tf.mul(tf.range(0, 2), x!),
        b: tf.linspace(0, 1, 5),
        c: tf.fill([2, 2], 3),
        d: tf.add(tf.zerosLike(x!), tf.onesLike(x!)),
        e: tf.eye(3),
        f: tf.range(5, 0, -2, "int32"),
      }),
    ],
    [
      "top k",
      { x: f(2, 7) },
      ({ x }) => {
        const { values, indices } = tf.topk(x!, 3)
        return { values, indices }
      },
    ],
    ["softmax", { x: f(2, 7) }, ({ x }) => ({ a: tf.softmax(x!), b: tf.logSoftmax(x!), c: tf.logSumExp(x!, 1) })],
    [
      "products",
      { x: f(2, 3, 4), y: f(2, 4, 5), w: f(3, 4) },
      ({ x, y, w }) => ({
        a: tf.matMul(x!, y!),
        b: tf.matMul(w!, w!, true),
        c: tf.matMul(x!, x!, false, true),
        d: tf.dot(tf.ones([4]), tf.ones([4])),
        e: tf.fused.matMul({ a: w!, b: tf.transpose(w!), bias: tf.ones([3]), activation: "relu" }),
      }),
    ],
    [
      "attention",
      { q: f(1, 2, 3, 4), m: f(3, 3) },
      ({ q, m }) => ({ a: tf.matMul(tf.softmax(tf.add(tf.matMul(q!, q!, false, true), m!)), q!) }),
    ],
  ]
  for (const [name, inputs, body] of functions) {
    const fn = pure(inputs, body)
    const [program, fast] = [captureSync(fn), optimize(captureSync(fn))]
    test(name, () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
          const values = hostOf(inputs, seed)
          const expected = eager(fn, values)
          expect(interpret(program, values)).toEqual(expected)
          for (const [key, { data, ...rest }] of Object.entries(interpret(fast, values))) {
            const { data: wanted, ...type } = expected[key]!
            expect(rest, key).toEqual(type)
            data.forEach((v, k) => {
              expect(
                Object.is(v, wanted[k]) || Math.abs(v - wanted[k]!) <= 1e-6 * (1 + Math.abs(v)),
                `${key}[${k}]`,
              ).toBe(true)
            })
          }
        }),
        { numRuns: 5 },
      )
    })
  }

  test("gradients of a small network", () => {
    const inputs = { table: f(5, 4), ids: i(2, 3), w: f(4, 4), bias: f(4), gain: f(4) }
    const fn = pure(inputs, ({ table, ids, w, bias, gain }) => {
      const loss = (t: tf.Tensor, weight: tf.Tensor, shift: tf.Tensor, scale: tf.Tensor): tf.Tensor =>
        tf.sum(
          tf.square(layerNorm(gelu(linear(embed(t, ids!), weight, shift)), scale as tf.Tensor1D, shift as tf.Tensor1D)),
        )
      const [a, b2, c, d] = tf.grads(loss)([table!, w!, bias!, gain!])
      return { a: a!, b: b2!, c: c!, d: d! }
    })
    const values = hostOf(inputs, 3)
    const [got, expected] = [interpret(optimize(captureSync(fn)), values), eager(fn, values)]
    for (const key of Object.keys(expected)) {
      got[key]!.data.forEach((v, k) => {
        expect(v).toBeCloseTo(expected[key]!.data[k]!, 4)
      })
    }
  })
})

describe("a program's hash", () => {
  const scaled = (by: number, path: string) =>
    captureSync(pure({ x: f(3) }, ({ x }) => withPath(path, () => ({ y: tf.mul(x!, tf.tensor([by, 2, 3])) }))))

  test("does not depend on paths", () => {
    expect(programHash(scaled(1, "a"))).toBe(programHash(scaled(1, "b")))
  })
  test("depends on the content of constants", () => {
    expect(programHash(scaled(1, "a"))).not.toBe(programHash(scaled(4, "a")))
  })
  test("does not depend on the numbers of values", () => {
    const program = scaled(1, "a")
    const shift = <V extends { readonly id: number }>(v: V): V => ({ ...v, id: v.id + 100 })
    const moved = {
      ...program,
      inputs: program.inputs.map((x) => ({ ...x, value: shift(x.value) })),
      constants: program.constants.map((c) => ({ ...c, value: shift(c.value) })),
      equations: program.equations.map((e) => ({ ...e, inputs: e.inputs.map(shift), outputs: e.outputs.map(shift) })),
      outputs: program.outputs.map((x) => ({ ...x, value: shift(x.value) })),
    }
    expect(programHash(moved)).toBe(programHash(program))
  })
})

describe("a refusal names the path and the remedy", () => {
  const failing = (body: (x: tf.Tensor) => unknown) => {
    const fn = { ...pure({ x: f(2, 2) }, () => ({})), name: "node" }
    try {
      captureSync({ ...fn, body: (_, { x }) => ({ outputs: withPath("block", () => body(x!)) as Named }) })
    } catch (error) {
      return error
    }
    return null
  }
  const refusals: ReadonlyArray<readonly [string, (x: tf.Tensor) => unknown, string]> = [
    ["dataSync", (x) => ({ y: tf.scalar(x.dataSync()[0]!) }), "pass the value as an input"],
    ["arraySync", (x) => ({ y: tf.tensor(x.arraySync() as Array<Array<number>>) }), "pass the value as an input"],
    ["data", (x) => ({ y: x, promised: void x.data() }), "pass the value as an input"],
    ["tf.randomNormal", (x) => ({ y: tf.add(x, tf.randomNormal([2, 2])) }), "randomness enters as an input"],
    ["tf.truncatedNormal", (x) => ({ y: tf.add(x, tf.truncatedNormal([2, 2])) }), "randomness enters as an input"],
    ["tf.dropout", (x) => ({ y: tf.dropout(x, 0.5) }), "randomness enters as an input"],
    ["tf.multinomial", (x) => ({ y: tf.multinomial(x as tf.Tensor2D, 3, 7) }), "randomness enters as an input"],
    [
      "a read that the body catches",
      (x) => {
        try {
          x.dataSync()
        } catch {}
        return { y: x }
      },
      "pass the value as an input",
    ],
  ]
  for (const [name, body, fix] of refusals) {
    test(`${name} is ValueDuringCapture`, () => {
      const before = [tf.memory().numTensors, Math.random, tf.getBackend()]
      const error = failing(body)
      expect(error).toBeInstanceOf(ValueDuringCapture)
      expect((error as ValueDuringCapture).where).toBe("node > block")
      expect((error as ValueDuringCapture).fix).toContain(fix)
      expect([tf.memory().numTensors, Math.random, tf.getBackend()]).toEqual(before)
    })
  }

  test("an operation outside the table is UnsupportedOp, with the engines that could run it", () => {
    const error = failing((x) => ({ y: tf.unique(x).values }))
    expect(error).toBeInstanceOf(UnsupportedOp)
    expect((error as UnsupportedOp).message).toMatchInlineSnapshot(`
      "UnsupportedOp in node > block
        expected  an operation that programs support
        received  Unique
        fix       run it on tfjs:cpu, op by op, or write it with supported operations"
    `)
  })
  test("a complex tensor is UnsupportedOp", () => {
    expect(failing((x) => ({ y: tf.real(tf.complex(x, x)) }))).toBeInstanceOf(UnsupportedOp)
  })
  test("the body's own error is the cause of NodeFailed", () => {
    const own = new TypeError("mine")
    const error = failing(() => {
      throw own
    })
    expect(error).toBeInstanceOf(NodeFailed)
    expect(error).toMatchObject({ cause: own, where: "node > block", received: "mine" })
  })
  test("another error of the framework keeps its advice", () => {
    const own = new BadLength({ where: "gpt", expected: "at most 4 tokens", received: "9 tokens", fix: "cut the text" })
    const error = failing(() => {
      throw own
    })
    expect(error).toMatchObject({
      cause: own,
      where: "node > block",
      received: "BadLength: 9 tokens",
      fix: "cut the text",
    })
  })
  test("a capture inside a capture is refused", () => {
    expect(failing(() => captureSync(pure({}, () => ({ y: tf.scalar(1) }))))).toBeInstanceOf(EngineFailed)
  })
  test("an async body is refused", () => {
    expect(failing(async (x) => ({ y: x }))).toBeInstanceOf(ShapeMismatch)
  })
  test("state of another shape, or of an undeclared name, is ShapeMismatch with every problem", () => {
    const fn = {
      ...train,
      body: () => ({ outputs: {}, state: { policy: { w: tf.zeros([3, 2]), nothing: tf.zeros([1]) } } }),
    }
    const exit = Effect.runSync(Effect.flip(capture(fn)))
    expect(exit).toBeInstanceOf(ShapeMismatch)
    expect(exit.received.split("\n")).toHaveLength(2)
  })
})

describe("a capture leaves nothing behind", () => {
  const bodies: ReadonlyArray<readonly [string, (x: tf.Tensor) => Named]> = [
    ["a plain function", (x) => ({ y: tf.mul(x, x) })],
    ["a gradient", (x) => ({ y: tf.grad((z) => tf.sum(tf.tanh(z)))(x) })],
    [
      "a gradient that fails half-way",
      (x) => ({
        y: tf.grad((z) => {
          tf.tanh(z)
          throw new Error("no")
        })(x),
      }),
    ],
    ["a kept tensor", (x) => ({ y: tf.keep(tf.neg(x)) })],
    ["a tensor from outside", (x) => ({ y: tf.add(x, outside) })],
  ]
  const outside = tf.tensor([1, 2, 3])
  for (const [name, body] of bodies) {
    test(name, () => {
      const before = { ...tf.memory(), backend: tf.getBackend() }
      try {
        captureSync(pure({ x: f(3) }, ({ x }) => body(x!)))
      } catch (error) {
        expect(error).toBeInstanceOf(NodeFailed)
      }
      expect({ ...tf.memory(), backend: tf.getBackend() }).toEqual(before)
    })
  }
})
