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

/** Whether position t sees position s in a layer. */
type Sees = (layer: number, t: number, s: number) => boolean

/** All blocks of a transformer and the last norm, of an embedded sequence `[t][d]`. */
export const referenceBlocks = (
  { width: d, layers, heads }: { readonly width: number; readonly layers: number; readonly heads: number },
  p: FlatParams,
  embedded: ReadonlyArray<Array<number>>,
  sees: Sees,
): Array<Array<number>> => {
  const e = d / heads
  const at = (name: string): Float64Array => {
    const found = p[name]
    if (found === undefined) throw new Error(`no parameter ${name}`)
    return found
  }
  let x = [...embedded]
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
        const seen = x.flatMap((_, s) => (sees(l, t, s) ? [s] : []))
        const weights = softmax(seen.map((s) => sum(part(t, 0).map((q, i) => q * part(s, 1)[i]!)) / Math.sqrt(e)))
        for (let i = 0; i < e; i++) out.push(sum(weights.map((w, n) => w * part(seen[n]!, 2)[i]!)))
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
 * The trunk's output for one sequence without padding.
 * @returns  `[t][d]`
 */
export const referenceTrunk = (config: GptConfig, p: FlatParams, tokens: Numbers): Array<Array<number>> => {
  const { width: d } = config
  const embedded = tokens.map((id, t) =>
    Array.from({ length: d }, (_, i) => p.token![id * d + i]! + p.position![t * d + i]!),
  )
  return referenceBlocks(config, p, embedded, (_, t, s) => s <= t)
}

/** Each row against every row of a table `[v][d]`: `[t][v]`. */
export const referenceProducts = (rows: ReadonlyArray<Numbers>, table: Float64Array): Array<Array<number>> =>
  rows.map((x) =>
    Array.from({ length: table.length / x.length }, (_, v) =>
      sum(x.map((value, i) => value * table[v * x.length + i]!)),
    ),
  )

/**
 * Logits for one sequence without padding.
 * @returns  `[t][v]`
 */
export const referenceLogits = (config: GptConfig, p: FlatParams, tokens: Numbers): Array<Array<number>> =>
  referenceProducts(referenceTrunk(config, p, tokens), p.unembedding ?? p.token!)
