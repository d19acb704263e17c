/**
 * The GPT step in @jax-js/jax, as a worker. The whole step is one jitted function.
 *
 * Its WebAssembly backend takes its threads from Web Workers, which Node does not have: it runs on one.
 * A value is used up by the function that it is given to; `.ref` is a second use of it.
 *
 * Axes     b batch, t position, d width, h heads, e head width, v vocabulary
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax"
import { decodeSafetensors, type HostTensors } from "@millrace/core"
import { Effect, Schema } from "effect"
import { optimizer } from "./protocol.js"
import { type Handlers, serve } from "./serve.js"

type Values = { readonly [name: string]: np.Array }

const Size = Schema.Struct({
  batch: Schema.Int,
  length: Schema.Int,
  width: Schema.Int,
  layers: Schema.Int,
  heads: Schema.Int,
  vocab: Schema.Int,
})
type Size = typeof Size.Type

const linear = (p: Values, name: string, x: np.Array): np.Array =>
  np.matmul(x, p[`${name}.weight`]!).add(p[`${name}.bias`]!)

const norm = (p: Values, name: string, x: np.Array): np.Array =>
  nn.standardize(x, -1, { epsilon: 1e-5 }).mul(p[`${name}.gain`]!).add(p[`${name}.bias`]!)

/**
 * Causal attention, b h t e. `nn.dotProductAttention` is the same with `einsum`, which maps iterators as only Node 22 can.
 */
const attention = (q: np.Array, k: np.Array, v: np.Array): np.Array => {
  const [, , t = 0, e = 0] = q.shape
  const products = np.matmul(q.mul(e ** -0.5), np.matrixTranspose(k)) // b h t t
  const seen = np.tri(t, t, 0, { dtype: np.bool }) // t t
  return np.matmul(nn.softmax(np.where(seen, products, -1e9), -1), v)
}

/** `x` is (b t) d. */
const block = (p: Values, name: string, x: np.Array, { batch: b, length: t, width: d, heads: h }: Size): np.Array => {
  const qkv = linear(p, `${name}.attention.qkv`, norm(p, `${name}.norm1`, x.ref)) // (b t) 3d
  const [q, k, v] = np.split(qkv, 3, -1).map((y) => np.transpose(y.reshape([b, t, h, d / h]), [0, 2, 1, 3])) // b h t e
  const attended = np.transpose(attention(q!, k!, v!), [0, 2, 1, 3]).reshape([b * t, d]) // (b t) d
  const between = x.add(linear(p, `${name}.attention.out`, attended))
  const hidden = nn.gelu(linear(p, `${name}.mlp.up`, norm(p, `${name}.norm2`, between.ref)), { approximate: true })
  return between.add(linear(p, `${name}.mlp.down`, hidden))
}

/**
 * The mean negative log-likelihood of the tokens 1 … t − 1 of each text. Tokens are looked up by a product with
 * their one-hot rows: the gradient of a gather is a scatter, which `jit` refuses where its input is a constant.
 * @param predicts  0 for the last position of a text, else 1; to slice it off gives wrong gradients under `jit`   (b t) 1
 */
const lossOf =
  (size: Size) =>
  (p: Values, tokens: np.Array, targets: np.Array, predicts: np.Array): np.Array => {
    const { batch: b, length: t, width: d } = size
    const embedded = np.matmul(nn.oneHot(tokens, size.vocab), p["policy.token"]!.ref).reshape([b, t, d])
    let x = embedded.add(p["policy.position"]!).reshape([b * t, d])
    for (let i = 0; i < size.layers; i++) x = block(p, `policy.blocks.${i}`, x, size)
    const logits = np.matmul(norm(p, "policy.norm", x), np.transpose(p["policy.token"]!)) // (b t) v
    const chosen = nn.logSoftmax(logits, -1).mul(nn.oneHot(targets, size.vocab).mul(predicts)) // (b t) v
    return chosen.sum().mul(-1 / (b * (t - 1)))
  }

/** √ Σ x² over all gradients, which it does not use up. */
const globalNorm = (values: Values): np.Array =>
  np.sqrt(
    Object.values(values)
      .map((x) => np.square(x.ref).sum())
      .reduce((sum, x) => sum.add(x)),
  )

const stepOf = (size: Size) => {
  const { learningRate, beta1, beta2, epsilon, weightDecay, clip } = optimizer
  return jit(
    (params: Values, first: Values, second: Values, count: np.Array, ...batch: [np.Array, np.Array, np.Array]) => {
      const ownParams = tree.ref(params)
      const [loss, gradients] = valueAndGrad(lossOf(size))(ownParams, ...batch)
      const scale = np.minimum(np.reciprocal(globalNorm(gradients)).mul(clip), 1)
      const steps = count.add(1)
      const correction1 = np.subtract(1, np.power(beta1, steps.ref))
      const correction2 = np.subtract(1, np.power(beta2, steps.ref))
      const next = { params: {}, first: {}, second: {} } as Record<
        "params" | "first" | "second",
        Record<string, np.Array>
      >
      for (const [name, gradient] of Object.entries(gradients)) {
        const g = gradient.mul(scale.ref)
        const m = first[name]!.mul(beta1).add(g.ref.mul(1 - beta1))
        const v = second[name]!.mul(beta2).add(np.square(g).mul(1 - beta2))
        const direction = m.ref.div(correction1.ref).div(np.sqrt(v.ref.div(correction2.ref)).add(epsilon))
        const p = params[name]!
        const kept = p.mul(p.shape.length >= 2 ? 1 - learningRate * weightDecay : 1)
        next.params[name] = kept.sub(direction.mul(learningRate))
        next.first[name] = m
        next.second[name] = v
      }
      tree.dispose([scale, correction1, correction2])
      return { ...next, count: steps, loss }
    },
  )
}

const onDevice = (tensors: HostTensors): Values =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      np.array(Float32Array.from(data)).reshape([...shape]),
    ]),
  )

const read = (folder: string, file: string): HostTensors =>
  Effect.runSync(decodeSafetensors(readFileSync(join(folder, file)), file)).tensors

let step: (() => Promise<{ readonly seconds: number; readonly loss: number }>) | null = null

const handlers: Handlers = {
  prepare: async ({ config, folder }) => {
    const size = Schema.decodeUnknownSync(Size)(config)
    const weights = read(folder, "weights.safetensors")
    const text = read(folder, "batch.safetensors").tokens!.data
    const { batch: b, length: t } = size
    const zeros = (): Values =>
      Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, np.zeros([...shape])]))
    const tokens = np.array(Int32Array.from(text), { dtype: np.int32 })
    const following = Int32Array.from({ length: b * t }, (_, i) => ((i + 1) % t === 0 ? 0 : text[i + 1]!))
    const targets = np.array(following, { dtype: np.int32 })
    const ones = Float32Array.from(following, (_, i) => ((i + 1) % t === 0 ? 0 : 1))
    const predicts = np.array(ones).reshape([b * t, 1])
    const stepping = stepOf(size)
    let state = { params: onDevice(weights), first: zeros(), second: zeros(), count: np.array(0) }
    step = async () => {
      const from = performance.now()
      const { loss, ...next } = stepping(
        state.params,
        state.first,
        state.second,
        state.count,
        tokens.ref,
        targets.ref,
        predicts.ref,
      )
      state = next
      await blockUntilReady(next)
      const [value] = await loss.data()
      return { seconds: (performance.now() - from) / 1000, loss: value! }
    }
    return { compileSeconds: null }
  },
  step: async () => {
    if (step === null) throw new Error("asked to work before it was told what to prepare")
    return step()
  },
}

/** The package does not export its package.json. */
const installed = (): string => {
  const file = join(dirname(createRequire(import.meta.url).resolve("@jax-js/jax")), "..", "package.json")
  return String((JSON.parse(readFileSync(file, "utf8")) as { readonly version: unknown }).version)
}

await init("wasm")
defaultDevice("wasm")
await serve({ version: `@jax-js/jax ${installed()} wasm`, threads: 1 }, handlers)
