import {
  expectClose,
  expectThat,
  float,
  grid,
  type Law,
  law,
  real,
  rows,
  size,
  strict,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { dot } from "./reference/contrastive.js"

/** Features of prompts [k n j], of length 1, to one of each class [k j]. */
export type EnsembleOf = (prompts: tf.Tensor) => tf.Tensor
/** Features [b j] and [k j], of length 1, to probabilities [b k]. */
export type ClassifyOf = (images: tf.Tensor, classes: tf.Tensor, scale: number) => tf.Tensor

/** Rows of length 1. */
const units = (count: number, j: number): fc.Arbitrary<Array<number>> =>
  grid(
    [count, j],
    real(3).filter((x) => Math.abs(x) > 0.2),
  ).map((flat) => rows(flat, j).flatMap((x) => x.map((v) => v / Math.sqrt(dot(x, x)))))

/** What an ensemble of prompts obeys. */
export const ensembleLaws = (ensemble: EnsembleOf): ReadonlyArray<Law> => {
  const prompts = fc
    .tuple(size(1, 3), size(1, 4), size(2, 4))
    .chain(([k, n, j]) =>
      fc.record({ shape: fc.constant([k, n, j] as const), flat: units(k * n, j), order: strict(n) }),
    )
  return [
    law("the order of the prompts is irrelevant", prompts, ({ shape, flat, order }) => {
      const [, n, j] = shape
      const moved = rows(flat, n * j).flatMap((of) => order.flatMap((i) => rows(of, j)[i]!))
      expectClose(ensemble(float(shape, moved)), ensemble(float(shape, flat)))
    }),
    law("each class has length 1", prompts, ({ shape, flat }) => {
      const lengths = values(tf.norm(ensemble(float(shape, flat)), 2, 1))
      // Prompts that cancel each other out have no direction.
      const sums = rows(flat, shape[1] * shape[2]).map((of) =>
        Math.hypot(...Array.from({ length: shape[2] }, (_, i) => rows(of, shape[2]).reduce((a, x) => a + x[i]!, 0))),
      )
      expectClose(
        lengths.filter((_, i) => sums[i]! > 0.01),
        sums.flatMap((s) => (s > 0.01 ? [1] : [])),
      )
    }),
    law("prompts that say the same are one prompt", prompts, ({ shape: [k, n, j], flat }) => {
      const first = rows(flat, n * j).map((of) => of.slice(0, j))
      const same = first.flatMap((x) => Array.from({ length: n }, () => x).flat())
      expectClose(ensemble(float([k, n, j], same)), first.flat())
    }),
  ]
}

/** What a zero-shot classifier obeys. */
export const classifyLaws = (classify: ClassifyOf): ReadonlyArray<Law> => {
  const scenes = fc.tuple(size(1, 3), size(2, 4), size(2, 4)).chain(([b, k, j]) =>
    fc.record({
      b: fc.constant(b),
      k: fc.constant(k),
      j: fc.constant(j),
      images: units(b, j),
      classes: units(k, j),
      order: strict(k),
    }),
  )
  type Scene = typeof scenes extends fc.Arbitrary<infer T> ? T : never
  const at = ({ b, k, j, images, classes }: Scene, scale: number, of = classes): Array<Array<number>> =>
    rows(values(classify(float([b, j], images), float([k, j], of), scale)), k)
  const scale = size(1, 400).map((s) => s / 4)
  return [
    law("the likeliest class is the same at every scale, and the nearest", fc.tuple(scenes, scale), ([scene, s]) => {
      const found = at(scene, s)
      rows(scene.images, scene.j).forEach((image, i) => {
        const near = rows(scene.classes, scene.j).map((text) => dot(image, text))
        const best = found[i]!.indexOf(Math.max(...found[i]!))
        expectThat(near[best]! > Math.max(...near) - 1e-5, () => `class ${best} of cosines ${near.join(", ")}`)
      })
    }),
    law("probabilities are not negative and sum to 1", fc.tuple(scenes, scale), ([scene, s]) => {
      const found = at(scene, s)
      expectThat(
        found.flat().every((p) => p >= 0),
        () => found.join(" | "),
      )
      expectClose(
        found.map((row) => row.reduce((a, p) => a + p, 0)),
        found.map(() => 1),
      )
    }),
    law("the order of the classes is irrelevant", fc.tuple(scenes, scale), ([scene, s]) => {
      const moved = scene.order.flatMap((i) => rows(scene.classes, scene.j)[i]!)
      const expected = at(scene, s).flatMap((row) => scene.order.map((i) => row[i]!))
      expectClose(at(scene, s, moved).flat(), expected)
    }),
    law("two classes' odds are e^(scale · difference of cosines)", fc.tuple(scenes, real(6)), ([scene, s]) => {
      const found = at(scene, 1 + Math.abs(s))
      const odds = found.map((row) => Math.log(row[0]!) - Math.log(row[1]!))
      const [one, two] = rows(scene.classes, scene.j)
      expectClose(
        odds,
        rows(scene.images, scene.j).map((x) => (1 + Math.abs(s)) * (dot(x, one!) - dot(x, two!))),
        { absolute: 1e-4 },
      )
    }),
  ]
}
