import {
  expectClose,
  expectGradient,
  expectSame,
  expectThat,
  float,
  gradient,
  grid,
  type Law,
  law,
  real,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import fc from "fast-check"
import type { DvaeBatch, DvaeLoss } from "../losses/dvae.js"
import { dvaeLossReference } from "./reference/dvae.js"

/** Images, what a dVAE made of them, and β to the bound and its parts. */
export type EvidenceBoundOf = (batch: DvaeBatch, beta: number) => DvaeLoss

const pixel = fc.integer({ min: 0, max: 1024 }).map((n) => n / 1024)
const examples = fc
  .record({ b: size(1, 3), y: size(1, 2), x: size(1, 3), c: size(1, 3), s: size(1, 3), k: size(2, 4) })
  .chain((sizes) => {
    const { b, y, x, c, s, k } = sizes
    return fc.record({
      sizes: fc.constant(sizes),
      image: grid([b, y, x, c], pixel),
      mean: grid([b, y, x, c]),
      logWidth: grid([b, y, x, c], real(2)),
      logits: grid([b, s, k]),
      beta: fc.constantFrom(0, 1, 6.6),
    })
  })
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

const batchOf = ({ sizes: { b, y, x, c, s, k }, image, mean, logWidth, logits }: Example): DvaeBatch => ({
  image: float([b, y, x, c], image),
  mean: float([b, y, x, c], mean),
  logWidth: float([b, y, x, c], logWidth),
  logits: float([b, s, k], logits),
})

/** Every number's logit is away from its location, where the surprise has a kink. */
const smooth = examples.filter(({ image, mean }) =>
  image.every((pixel, i) => {
    const x = 0.8 * pixel + 0.1
    return Math.abs(Math.log(x / (1 - x)) - mean[i]!) > 0.01
  }),
)

/**
 * What the evidence bound of a dVAE obeys.
 * @source Ramesh et al. 2021, equation 1 and appendix A.2
 */
export const dvaeLossLaws = (bound: EvidenceBoundOf): ReadonlyArray<Law> => {
  const at = (e: Example, beta = e.beta) => {
    const { loss, reconstruction, kl } = bound(batchOf(e), beta)
    return { loss: values(loss)[0]!, reconstruction: values(reconstruction)[0]!, kl: values(kl)[0]! }
  }
  const count = ({ sizes: { y, x, c } }: Example): number => y * x * c
  return [
    law("it has the value and the gradient of the float64 reference", smooth, (e) => {
      const { image, ...rest } = batchOf(e)
      expectGradient(
        (mean, logWidth, logits) => bound({ image, mean: mean!, logWidth: logWidth!, logits: logits! }, e.beta).loss,
        (mean, logWidth, logits) => dvaeLossReference(e.sizes, e.image, mean!, logWidth!, logits!, e.beta),
        [
          { shape: rest.mean.shape, data: e.mean },
          { shape: rest.logWidth.shape, data: e.logWidth },
          { shape: rest.logits.shape, data: e.logits },
        ],
      )
    }),
    law("it is the reconstruction and β times the KL of an image over its numbers", examples, (e) => {
      const { loss, reconstruction, kl } = at(e)
      expectClose(loss, reconstruction + (e.beta * kl) / count(e))
      expectClose(reconstruction, at(e, 0).loss)
    }),
    law("the KL of an image lies between 0 and s ln k", examples, (e) => {
      const { kl } = at(e)
      const most = e.sizes.s * Math.log(e.sizes.k)
      expectThat(kl >= -1e-5 && kl <= most * (1 + 1e-5), () => `${kl} of at most ${most}`)
    }),
    law("codes that are certain cost s ln k, codes that are not nothing", examples, (e) => {
      const certain = e.logits.map((_, i) => (i % e.sizes.k === 0 ? 1e4 : 0))
      expectClose(at({ ...e, logits: certain }).kl, e.sizes.s * Math.log(e.sizes.k))
      expectClose(at({ ...e, logits: e.logits.map(() => 2) }).kl, 0, { absolute: 1e-5 })
    }),
    law("with β = 0 the logits have a gradient of exactly 0", examples, (e) => {
      const { image, mean, logWidth, logits } = batchOf(e)
      const [slope] = gradient((x) => bound({ image, mean, logWidth, logits: x! }, 0).loss, [logits])
      expectSame(
        slope!,
        e.logits.map(() => 0),
      )
    }),
    law("a batch twice over costs what it costs once", examples, (e) => {
      const twice = (x: ReadonlyArray<number>) => [...x, ...x]
      const { image, mean, logWidth, logits } = e
      const double = {
        ...e,
        sizes: { ...e.sizes, b: 2 * e.sizes.b },
        image: twice(image),
        mean: twice(mean),
        logWidth: twice(logWidth),
        logits: twice(logits),
      }
      const [two, one] = [at(double), at(e)]
      expectClose([two.loss, two.reconstruction, two.kl], [one.loss, one.reconstruction, one.kl])
    }),
    law("the order of the images, and of an image's places, is irrelevant", examples, (e) => {
      const { y, x, c, s, k } = e.sizes
      const turned = (flat: ReadonlyArray<number>, width: number) => rows(flat, width).reverse().flat()
      const places = rows(e.logits, s * k).flatMap((image) => turned(image, k))
      const moved = {
        ...e,
        image: turned(e.image, y * x * c),
        mean: turned(e.mean, y * x * c),
        logWidth: turned(e.logWidth, y * x * c),
        logits: turned(places, s * k),
      }
      expectClose(at(moved).loss, at(e).loss)
    }),
    law("an image and its negative, with locations of the other sign, cost the same", examples, (e) => {
      const negative = { ...e, image: e.image.map((each) => 1 - each), mean: e.mean.map((each) => -each) }
      expectClose(at(negative).loss, at(e).loss)
    }),
  ]
}
