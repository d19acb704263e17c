/** Attention pooling in plain loops and float64. */
import type { FlatParams } from "../../models/reference/gpt.js"

type Numbers = ReadonlyArray<number>

const linear = (x: Numbers, weight: Float64Array, bias: Float64Array): Array<number> =>
  Array.from(bias, (b, j) => x.reduce((sum, v, i) => sum + v * weight[i * bias.length + j]!, b))

/**
 * @param p       flat parameters of an attention pool
 * @param places  one row of channels a place
 * @returns       j numbers
 */
export const referencePool = (p: FlatParams, places: ReadonlyArray<Numbers>, heads: number): Array<number> => {
  const c = places[0]!.length
  const e = c / heads
  const mean = Array.from({ length: c }, (_, i) => places.reduce((sum, x) => sum + x[i]!, 0) / places.length)
  const tokens = [mean, ...places].map((x, t) => x.map((v, i) => v + p.position![t * c + i]!))
  const of = (name: string, x: Numbers): Array<number> => linear(x, p[`${name}.weight`]!, p[`${name}.bias`]!)
  const query = of("query", tokens[0]!)
  const keys = tokens.map((x) => of("key", x))
  const values = tokens.map((x) => of("value", x))
  const answer = Array.from({ length: c }, (_, i) => {
    const h = Math.floor(i / e)
    const scores = keys.map((k) =>
      Array.from({ length: e }, (_, n) => query[h * e + n]! * k[h * e + n]!).reduce((a, b) => a + b, 0),
    )
    const weights = scores.map((s) => Math.exp(s / Math.sqrt(e)))
    const total = weights.reduce((a, b) => a + b, 0)
    return weights.reduce((sum, w, t) => sum + (w / total) * values[t]![i]!, 0)
  })
  return of("out", answer)
}
