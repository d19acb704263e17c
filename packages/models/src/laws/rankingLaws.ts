import {
  expectClose,
  expectThat,
  float,
  gradient,
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

/** A ranking loss: rewards [b k] and preference [b k], higher is better, to a scalar. */
export type RankingLoss = (rewards: tf.Tensor, preference: tf.Tensor) => tf.Scalar

/** Some prompts of k answers each, without ties. */
const prompts = fc.tuple(size(1, 3), size(2, 9)).chain(([b, k]) =>
  fc.record({
    shape: fc.constant([b, k] as const),
    rewards: grid([b, k]),
    preference: fc.array(strict(k), { minLength: b, maxLength: b }).map((each) => each.flat()),
  }),
)

/** One prompt's pairs, the preferred answer first. */
const pairsOf = (preference: ReadonlyArray<number>): Array<[number, number]> =>
  preference.flatMap((p, i) => preference.flatMap((q, j): Array<[number, number]> => (p > q ? [[i, j]] : [])))

const logistic = (gap: number): number => Math.log1p(Math.exp(-Math.abs(gap))) + Math.max(0, -gap)

const mean = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0) / x.length

/**
 * What every ranking loss over the pairs of K answers obeys, whatever its divisor with ties.
 * @source Ouyang et al. 2022, eq. 1
 */
export const rankingLaws = (loss: RankingLoss): ReadonlyArray<Law> => {
  const at = (shape: readonly [number, number], rewards: ReadonlyArray<number>, preference: ReadonlyArray<number>) =>
    values(loss(float(shape, rewards), float(shape, preference)))[0]!
  const slope = (shape: readonly [number, number], rewards: ReadonlyArray<number>, preference: ReadonlyArray<number>) =>
    values(gradient((r) => loss(r!, float(shape, preference)), [float(shape, rewards)])[0]!)

  return [
    law(
      "adding a constant to the rewards of a prompt never changes the loss",
      fc.tuple(prompts, grid([3])),
      ([p, c]) => {
        const moved = p.rewards.map((r, i) => r + c[Math.floor(i / p.shape[1])]!)
        expectClose(at(p.shape, moved, p.preference), at(p.shape, p.rewards, p.preference))
      },
    ),
    law("L(r) − L(−r) is minus the mean difference of the pairs", prompts, ({ shape, rewards, preference }) => {
      const differences = rows(preference, shape[1]).map((row, b) =>
        mean(pairsOf(row).map(([i, j]) => rewards[b * shape[1] + i]! - rewards[b * shape[1] + j]!)),
      )
      const negated = rewards.map((r) => -r)
      expectClose(at(shape, rewards, preference) - at(shape, negated, preference), -mean(differences))
    }),
    law("the gradient of each prompt sums to 0", prompts, ({ shape, rewards, preference }) => {
      const sums = rows(slope(shape, rewards, preference), shape[1]).map((row) => row.reduce((a, b) => a + b, 0))
      expectClose(
        sums,
        sums.map(() => 0),
        { absolute: 1e-6 },
      )
    }),
    law("it is the mean of the binary losses of the pairs", prompts, ({ shape, rewards, preference }) => {
      const binary = rows(preference, shape[1]).map((row, b) =>
        mean(
          pairsOf(row).map(([i, j]) => at([1, 2], [rewards[b * shape[1] + i]!, rewards[b * shape[1] + j]!], [1, 0])),
        ),
      )
      expectClose(at(shape, rewards, preference), mean(binary))
    }),
    law(
      "the pairs as separate elements, weighted alike, have the same gradient",
      size(3, 6).chain((k) => fc.tuple(grid([k]), strict(k))),
      ([rewards, preference]) => {
        const k = rewards.length
        const pairs = pairsOf(preference)
        const split = gradient(
          (r) => {
            const gathered = tf.gather(tf.reshape(r!, [k]), ids1(pairs.flat()))
            return loss(
              tf.reshape(gathered, [pairs.length, 2]),
              float(
                [pairs.length, 2],
                pairs.flatMap(() => [1, 0]),
              ),
            )
          },
          [float([1, k], rewards)],
        )[0]!
        expectClose(slope([1, k], rewards, preference), split, { absolute: 1e-6 })
      },
    ),
    law("with K = 2 it is the cross-entropy of a two-way softmax", fc.tuple(real(20), real(20)), ([a, b]) => {
      const top = Math.max(a, b)
      const crossEntropy = top + Math.log(Math.exp(a - top) + Math.exp(b - top)) - a
      expectClose(at([1, 2], [a, b], [1, 0]), crossEntropy)
    }),
    law("equal rewards give ln 2", prompts, ({ shape, preference }) => {
      expectClose(
        at(
          shape,
          preference.map(() => 0.5),
          preference,
        ),
        Math.LN2,
      )
    }),
    law("a tie makes no pair", prompts, ({ shape, rewards }) => {
      const tied = rewards.map(() => 1)
      expectClose([at(shape, rewards, tied), ...slope(shape, rewards, tied)], [0, ...tied.map(() => 0)])
    }),
    law("tied answers do not act on each other", grid([5]), ([a0, a1, b0, b1, c]) => {
      const l = (a: number, b: number) => at([1, 3], [a, b, c!], [0, 0, 1])
      expectClose(l(a0!, b0!) + l(a1!, b1!), l(a0!, b1!) + l(a1!, b0!))
    }),
    law(
      "the order of the answers is irrelevant",
      fc.tuple(prompts, fc.nat()),
      ([{ shape, rewards, preference }, turn]) => {
        const rotated = (x: ReadonlyArray<number>) =>
          rows(x, shape[1]).flatMap((row) =>
            [...row.slice(turn % shape[1]), ...row.slice(0, turn % shape[1])].reverse(),
          )
        expectClose(at(shape, rotated(rewards), rotated(preference)), at(shape, rewards, preference))
      },
    ),
    law("reversing the ranking is negating the rewards", prompts, ({ shape, rewards, preference }) => {
      const [negated, reversed] = [rewards.map((r) => -r), preference.map((p) => -p)]
      expectClose(at(shape, rewards, reversed), at(shape, negated, preference))
    }),
    law("only the order of the preferences counts", prompts, ({ shape, rewards, preference }) => {
      const stretched = preference.map((p) => 3 * p * p + p - 7)
      expectClose(at(shape, rewards, stretched), at(shape, rewards, preference))
    }),
    law(
      "it is convex in the rewards",
      prompts.chain((p) => fc.tuple(fc.constant(p), grid(p.shape))),
      ([{ shape, rewards, preference }, other]) => {
        const middle = rewards.map((r, i) => (r + other[i]!) / 2)
        const [low, high] = [
          at(shape, middle, preference),
          (at(shape, rewards, preference) + at(shape, other, preference)) / 2,
        ]
        expectThat(low <= high + 1e-5, () => `${low} in the middle is above the mean ${high} of the ends`)
      },
    ),
    law(
      "raising the best answer never raises the loss",
      fc.tuple(prompts, real(4)),
      ([{ shape, rewards, preference }, up]) => {
        const raised = rewards.map((r, i) => (preference[i] === shape[1] - 1 ? r + Math.abs(up) : r))
        const [before, after] = [at(shape, rewards, preference), at(shape, raised, preference)]
        expectThat(after <= before + 1e-6, () => `the loss rose from ${before} to ${after}`)
      },
    ),
    law("the loss of two batches of one size is the mean of theirs", fc.tuple(prompts, fc.nat()), ([p, seed]) => {
      const other = p.rewards.map((r, i) => r * Math.cos(seed + i))
      const [b, k] = p.shape
      const both = at([2 * b, k], [...p.rewards, ...other], [...p.preference, ...p.preference])
      expectClose(both, (at(p.shape, p.rewards, p.preference) + at(p.shape, other, p.preference)) / 2)
    }),
    law(
      "it falls to 0 as gaps grow right, and grows linearly as they grow wrong, without overflow",
      size(2, 9),
      (k) => {
        const ranks = Array.from({ length: k }, (_, i) => i)
        const right = ranks.map((r) => 1e4 * r)
        const gaps = pairsOf(ranks).map(([i, j]) => 1e4 * (i - j))
        expectClose(
          [
            at([1, k], right, ranks),
            at(
              [1, k],
              right.map((r) => -r),
              ranks,
            ),
          ],
          [0, mean(gaps)],
        )
        expectThat(
          slope(
            [1, k],
            right.map((r) => -r),
            ranks,
          ).every(Number.isFinite),
          () => "a gradient is not finite",
        )
      },
    ),
    law("a pair's loss is −log σ of its difference", fc.tuple(real(30), real(30)), ([a, b]) => {
      expectClose(at([1, 2], [a, b], [5, -5]), logistic(a - b))
    }),
  ]
}

const ids1 = (x: ReadonlyArray<number>): tf.Tensor1D => tf.tensor1d([...x], "int32")

/** A mask of the answers that are real: every prompt keeps at least two. */
export const answerMask = (b: number, k: number): fc.Arbitrary<Array<number>> =>
  fc
    .array(size(2, k), { minLength: b, maxLength: b })
    .map((counts) => counts.flatMap((count) => Array.from({ length: k }, (_, i) => (i < count ? 1 : 0))))
