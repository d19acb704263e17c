import { type HostTensor, keyFromSeed } from "@millrace/core"
import { type blur, type degrade, drawDegradation, gaussianTaps, type jpeg, type resizeImage } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { float, grid, real, size } from "./examples.js"
import { type Law, law } from "./law.js"

const images = fc
  .record({ y: size(3, 6), x: size(3, 6), c: size(1, 3) })
  .chain((sides) => fc.record({ sides: fc.constant(sides), image: grid([2, sides.y, sides.x, sides.c], real(1)) }))
type Image = typeof images extends fc.Arbitrary<infer T> ? T : never

const imageOf = ({ sides: { y, x, c }, image }: Image): tf.Tensor => float([2, y, x, c], image)
const constantOf = ({ sides: { y, x, c } }: Image, value: number): tf.Tensor => tf.fill([2, y, x, c], value)

/** Weights of 3 or 5 neighbours for each of two images, in one direction. */
const taps = fc
  .record({ count: fc.constantFrom(3, 5), sigmas: fc.array(size(1, 30), { minLength: 2, maxLength: 2 }) })
  .map(({ count, sigmas }) =>
    float(
      [2, count],
      sigmas.flatMap((s) => gaussianTaps(count, s / 10)),
    ),
  )

const mean = (x: tf.Tensor): tf.Tensor => tf.mean(x, [1, 2])

/** What every blur obeys. */
export const blurLaws = (soften: typeof blur): ReadonlyArray<Law> => [
  law("the mean of each channel stays", fc.tuple(images, taps, taps), ([image, rows, columns]) => {
    expectClose(mean(soften(imageOf(image), rows, columns)), mean(imageOf(image)))
  }),
  law("a constant image stays", fc.tuple(images, taps, taps, real(1)), ([image, rows, columns, value]) => {
    expectClose(soften(constantOf(image, value), rows, columns), constantOf(image, value))
  }),
  law("the mirror image is blurred to the mirror image", fc.tuple(images, taps, taps), ([image, rows, columns]) => {
    const x = imageOf(image)
    expectClose(soften(tf.reverse(x, [1, 2]), rows, columns), tf.reverse(soften(x, rows, columns), [1, 2]))
  }),
  law("a turned image is blurred by turned weights", fc.tuple(images, taps, taps), ([image, rows, columns]) => {
    const x = imageOf(image)
    const turned = soften(tf.transpose(x, [0, 2, 1, 3]), columns, rows)
    expectClose(turned, tf.transpose(soften(x, rows, columns), [0, 2, 1, 3]))
  }),
  law("the sum of two images is blurred to the sum", fc.tuple(images, taps, taps), ([image, rows, columns]) => {
    const x = imageOf(image)
    const other = tf.reverse(tf.square(x), 1)
    expectClose(soften(tf.add(x, other), rows, columns), tf.add(soften(x, rows, columns), soften(other, rows, columns)))
  }),
  law("nothing gets brighter or darker than the image was", fc.tuple(images, taps, taps), ([image, rows, columns]) => {
    const [before, after] = [values(imageOf(image)), values(soften(imageOf(image), rows, columns))]
    const inside = after.every((v) => v <= Math.max(...before) + 1e-5 && v >= Math.min(...before) - 1e-5)
    expectThat(inside, () => `${after.join(", ")} of ${before.join(", ")}`)
  }),
  law("it takes some of an edge away", fc.tuple(taps, taps), ([rows, columns]) => {
    const edge = tf.tile(float([1, 1, 6, 1], [0, 0, 0, 1, 1, 1]), [2, 4, 1, 1])
    const step = (x: tf.Tensor) =>
      values(tf.max(tf.sub(tf.slice(x, [0, 0, 1], [2, 4, 5]), tf.slice(x, [0, 0, 0], [2, 4, 5]))))[0]!
    // A sigma of a tenth of a pixel takes nothing that float32 holds.
    const least = Math.max(...values(tf.slice(columns, [0, (columns.shape[1]! - 1) / 2], [2, 1])))
    expectThat(
      step(soften(edge, rows, columns)) <= least + 1e-5,
      () => `a step of ${step(soften(edge, rows, columns))}`,
    )
  }),
]

const other = fc.tuple(size(1, 9), size(1, 9))
const kinds = fc.constantFrom("bilinear" as const, "bicubic" as const)

/** What every resizing by interpolation obeys. */
export const resizeLaws = (resize: typeof resizeImage): ReadonlyArray<Law> => [
  law("a constant image stays", fc.tuple(images, other, kinds, real(1)), ([image, to, kind, value]) => {
    const { c } = image.sides
    expectClose(resize(constantOf(image, value), to, kind), tf.fill([2, ...to, c], value))
  }),
  law("to the same sides nothing changes", fc.tuple(images, kinds), ([image, kind]) => {
    const { y, x } = image.sides
    expectClose(resize(imageOf(image), [y, x], kind), imageOf(image))
  }),
  law("the mirror image is resized to the mirror image", fc.tuple(images, other, kinds), ([image, to, kind]) => {
    const x = imageOf(image)
    expectClose(resize(tf.reverse(x, [1, 2]), to, kind), tf.reverse(resize(x, to, kind), [1, 2]))
  }),
  // Not so with a bicubic kernel of slope −¾: only −½ would keep it.
  law("a slope stays a slope when bilinear, away from its ends", fc.tuple(size(4, 6), size(2, 4)), ([from, factor]) => {
    const to = from * factor
    const slope = float(
      [1, 1, from, 1],
      Array.from({ length: from }, (_, i) => i + 0.5),
    )
    const wanted = Array.from({ length: to }, (_, i) => (i + 0.5) / factor)
    const inside = (x: ReadonlyArray<number>) => x.slice(factor, to - factor)
    expectClose(inside(values(resize(slope, [1, to], "bilinear"))), inside(wanted))
  }),
  law("halving and bilinear is the mean of each four", images, (image) => {
    const x = tf.concat([imageOf(image), imageOf(image)], 1)
    const even = tf.concat([x, x], 2)
    const { shape } = even
    expectClose(
      resize(even, [shape[1]! / 2, shape[2]! / 2], "bilinear"),
      tf.avgPool(even as tf.Tensor4D, 2, 2, "valid"),
    )
  }),
]

const squares = fc.record({
  image: grid([2, 8, 16, 3], real(1)).map((all) => all.map((v) => v / 2)),
  quality: fc.tuple(size(1, 99), size(1, 99)),
})

/** What every JPEG obeys. */
export const jpegLaws = (compress: typeof jpeg): ReadonlyArray<Law> => {
  const at = (image: ReadonlyArray<number>) => float([2, 8, 16, 3], image)
  return [
    law("what was compressed is compressed again without loss", squares, ({ image, quality }) => {
      const once = compress(at(image), float([2], quality))
      // Coefficients that fall between two steps within float32's error may go either way.
      const [a, b] = [values(once), values(compress(once, float([2], quality)))]
      const moved = a.filter((v, i) => Math.abs(v - b[i]!) > 1e-3).length
      expectThat(moved === 0, () => `${moved} of ${a.length} pixels moved`)
    }),
    law("at quality 100 no pixel moves by more than its steps do", squares, ({ image }) => {
      const back = values(compress(at(image), float([2], [100, 100])))
      // 64 coefficients of three channels, each off by half a step of 1 at most, in steps of a byte.
      const worst = Math.max(...back.map((v, i) => Math.abs(v - image[i]!)))
      expectThat(worst <= ((64 / 8) * 0.5 * (1 + 1.772)) / 127.5, () => `off by ${worst}`)
    }),
    law("at a low quality a faint pattern is lost", size(1, 20), (quality) => {
      const pattern = Array.from({ length: 2 * 8 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 0.02 : -0.02))
      const back = values(compress(at(pattern), float([2], [quality, quality])))
      expectThat(Math.max(...back.map(Math.abs)) < 1e-4, () => "the pattern is still there")
    }),
    law("a block depends on no other block", squares, ({ image, quality }) => {
      const changed = image.map((v, i) => (Math.floor(i / 3) % 16 < 8 ? v : -v))
      const left = (x: tf.Tensor) => tf.slice(x, [0, 0, 0, 0], [2, 8, 8, 3])
      expectSame(left(compress(at(image), float([2], quality))), left(compress(at(changed), float([2], quality))))
    }),
    law("a grey image stays grey", squares, ({ image, quality }) => {
      const grey = image.map((_, i) => image[Math.floor(i / 3) * 3]!)
      const [r, g, b] = tf.split(compress(at(grey), float([2], quality)), 3, 3)
      expectClose(tf.sub(r!, g!), tf.zerosLike(r!), { absolute: 1e-3 })
      expectClose(tf.sub(g!, b!), tf.zerosLike(r!), { absolute: 1e-3 })
    }),
  ]
}

const drawn = fc.record({ seed: size(0, 9999), image: grid([2, 8, 8, 3], real(1)) })

/** A host tensor on tfjs. */
const placed = ({ data, shape, dtype }: HostTensor): tf.Tensor => tf.tensor(data, [...shape], dtype)

/** What every degradation from draws obeys. */
export const degradeLaws = (spoil: typeof degrade): ReadonlyArray<Law> => {
  const draws = (seed: number, config: Parameters<typeof drawDegradation>[2] = {}) => {
    const d = drawDegradation(keyFromSeed(seed), [2, 8, 8, 3], config)
    return {
      order: placed(d.order),
      rows: placed(d.rows),
      columns: placed(d.columns),
      resampling: placed(d.resampling),
      level: placed(d.level),
      noise: placed(d.noise),
      quality: placed(d.quality),
    }
  }
  const at = (image: ReadonlyArray<number>) => float([2, 8, 8, 3], image)

  return [
    law("it stays in range", drawn, ({ seed, image }) => {
      const after = values(spoil(at(image), draws(seed, { noise: [100, 200] })))
      expectThat(
        after.every((v) => v >= -1 && v <= 1),
        () => `${Math.max(...after.map(Math.abs))} of 1`,
      )
    }),
    law("an image depends on its own draws alone", drawn, ({ seed, image }) => {
      const d = draws(seed)
      const one = Object.fromEntries(
        Object.entries(d).map(([name, x]) => [name, tf.slice(x, new Array(x.rank).fill(0), [1, ...x.shape.slice(1)])]),
      ) as typeof d
      const alone = spoil(tf.slice(at(image), [0, 0, 0, 0], [1, 8, 8, 3]), one)
      expectClose(values(spoil(at(image), d)).slice(0, alone.size), alone)
    }),
    law("at no strength it is JPEG of quality 100 at most", drawn, ({ seed, image }) => {
      const weak = draws(seed, { sigma: [0.01, 0.01], noise: [0, 0], quality: [100, 100] })
      const after = values(spoil(at(image), { ...weak, resampling: tf.zerosLike(weak.resampling) }))
      const worst = Math.max(...after.map((v, i) => Math.abs(v - image[i]!)))
      expectThat(worst <= ((64 / 8) * 0.5 * (1 + 1.772)) / 127.5, () => `off by ${worst}`)
    }),
    law("each of the four acts", drawn, ({ seed, image }) => {
      const weak = { ...draws(seed, { sigma: [0.01, 0.01], noise: [0, 0], quality: [100, 100] }) }
      const none = { ...weak, resampling: tf.zerosLike(weak.resampling) }
      const wide = float(
        [2, 7],
        [1, 2].flatMap(() => [...gaussianTaps(7, 2)]),
      )
      const rough = at(image.map((v, i) => v / 4 + (Math.floor(i / 3) % 2 === 0 ? 0.7 : -0.7)))
      const plain = values(spoil(rough, none))
      const changes: ReadonlyArray<Partial<typeof none>> = [
        { rows: wide, columns: wide },
        { resampling: tf.onesLike(weak.resampling) },
        { resampling: tf.add(tf.onesLike(weak.resampling), tf.onesLike(weak.resampling)) },
        { level: tf.fill([2], 0.2) },
        { quality: tf.fill([2], 5) },
      ]
      for (const [i, change] of changes.entries()) {
        const after = values(spoil(rough, { ...none, ...change }))
        const far = Math.max(...after.map((v, j) => Math.abs(v - plain[j]!)))
        expectThat(far > 0.02, () => `change ${i} moved pixels by ${far} at most`)
      }
    }),
    law("its operations run in the order that was drawn", drawn, ({ seed, image }) => {
      const d = { ...draws(seed, { noise: [60, 60], sigma: [2, 2] }), resampling: float([2], [0, 0]).toInt() }
      const order = (each: ReadonlyArray<number>) => tf.tensor2d([each, each].flat(), [2, 4], "int32")
      const roughness = (x: tf.Tensor) =>
        values(
          tf.mean(tf.square(tf.sub(tf.slice(x, [0, 0, 1, 0], [2, 8, 7, 3]), tf.slice(x, [0, 0, 0, 0], [2, 8, 7, 3])))),
        )[0]!
      const calm = at(image.map((v) => v / 4))
      const noiseLast = roughness(spoil(calm, { ...d, order: order([3, 0, 1, 2]) }))
      const blurLast = roughness(spoil(calm, { ...d, order: order([3, 2, 1, 0]) }))
      expectThat(noiseLast > 2 * blurLast, () => `${noiseLast} with noise last, ${blurLast} with blur last`)
    }),
  ]
}
