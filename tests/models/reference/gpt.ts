/** GPT in plain loops and float64: slow, obvious, and written from the paper's description alone. */
import type { GptConfig } from "@millrace/models"

type Numbers = ReadonlyArray<number>
export type FlatParams = Readonly<Record<string, Float64Array>>

/** A number of each name, filled with a smooth, spread-out deterministic sequence (no generator needed). */
export const wave = (size: number, seed: number, scale: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => Math.fround(scale * Math.sin(12.9898 * (i + 1) + 78.233 * (seed + 1))))

const sum = (values: Numbers): number => values.reduce((a, b) => a + b, 0)

const layerNorm = (x: Numbers, gain: Float64Array, bias: Float64Array): Array<number> => {
  const mean = sum(x) / x.length
  const variance = sum(x.map((v) => (v - mean) ** 2)) / x.length
  return x.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * gain[i]! + bias[i]!)
}

const linear = (x: Numbers, weight: Float64Array, bias: Float64Array): Array<number> =>
  Array.from(bias, (b, j) => b + sum(x.map((v, i) => v * weight[i * bias.length + j]!)))

const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

const softmax = (x: Numbers): Array<number> => {
  const top = Math.max(...x)
  const e = x.map((v) => Math.exp(v - top))
  return e.map((v) => v / sum(e))
}

/**
 * The trunk's output for one sequence without padding.
 * @returns  `[t][d]`
 */
export const referenceTrunk = (config: GptConfig, p: FlatParams, tokens: Numbers): Array<Array<number>> => {
  const { width: d, layers, heads } = config
  const e = d / heads
  const at = (name: string): Float64Array => {
    const found = p[name]
    if (found === undefined) throw new Error(`no parameter ${name}`)
    return found
  }
  let x = tokens.map((id, t) =>
    Array.from({ length: d }, (_, i) => at("token")[id * d + i]! + at("position")[t * d + i]!),
  )
  for (let l = 0; l < layers; l++) {
    const b = `blocks.${l}`
    const qkv = x.map((row) =>
      linear(
        layerNorm(row, at(`${b}.norm1.gain`), at(`${b}.norm1.bias`)),
        at(`${b}.attention.qkv.weight`),
        at(`${b}.attention.qkv.bias`),
      ),
    )
    const attended = x.map((_, t) => {
      const out: Array<number> = []
      for (let h = 0; h < heads; h++) {
        const part = (s: number, which: number): Numbers => qkv[s]!.slice(which * d + h * e, which * d + (h + 1) * e)
        const scores: Array<number> = []
        for (let s = 0; s <= t; s++) scores.push(sum(part(t, 0).map((q, i) => q * part(s, 1)[i]!)) / Math.sqrt(e))
        const weights = softmax(scores)
        for (let i = 0; i < e; i++) out.push(sum(weights.map((w, s) => w * part(s, 2)[i]!)))
      }
      return out
    })
    x = x.map((row, t) => {
      const projected = linear(attended[t]!, at(`${b}.attention.out.weight`), at(`${b}.attention.out.bias`))
      return row.map((v, i) => v + projected[i]!)
    })
    x = x.map((row) => {
      const hidden = linear(
        layerNorm(row, at(`${b}.norm2.gain`), at(`${b}.norm2.bias`)),
        at(`${b}.mlp.up.weight`),
        at(`${b}.mlp.up.bias`),
      ).map(gelu)
      const projected = linear(hidden, at(`${b}.mlp.down.weight`), at(`${b}.mlp.down.bias`))
      return row.map((v, i) => v + projected[i]!)
    })
  }
  return x.map((row) => layerNorm(row, at("norm.gain"), at("norm.bias")))
}

/**
 * Logits for one sequence without padding.
 * @returns  `[t][v]`
 */
export const referenceLogits = (config: GptConfig, p: FlatParams, tokens: Numbers): Array<Array<number>> => {
  const table = p.unembedding ?? p.token!
  const { width: d, vocab } = config
  return referenceTrunk(config, p, tokens).map((x) =>
    Array.from({ length: vocab }, (_, v) => sum(x.map((value, i) => value * table[v * d + i]!))),
  )
}
