/** The general laws, each on a small function that obeys it and on broken twins. */
import { tensor } from "@millrace/core"
import {
  antisymmetric,
  batchEquivariant,
  bounded,
  causal,
  convex,
  deterministic,
  even,
  finite,
  gradientMatchesFiniteDifferences,
  gradientSumsToZero,
  homogeneous,
  honestPorts,
  idempotent,
  lawsOf,
  leavesNothing,
  linear,
  maskedNeverLeaks,
  monotone,
  nonNegative,
  odd,
  paddingInvariant,
  permutationEquivariant,
  permutationInvariant,
  type SubjectLaws,
  scaleInvariant,
  shiftInvariant,
  sumsTo,
  symmetric,
  type TensorSubject,
  zeroIffEqual,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import { type MutantSet, mutantSet } from "./mutantSet.js"

type Inputs = Readonly<Record<string, tf.Tensor>>
type Apply = (inputs: Inputs) => tf.Tensor
type Ports = Omit<TensorSubject, "apply" | "name">

const setOf = (
  subject: string,
  ports: Ports,
  laws: ReadonlyArray<SubjectLaws>,
  real: Apply,
  mutants: Readonly<Record<string, Apply>>,
): MutantSet =>
  mutantSet<Apply>({
    subject,
    laws: (apply) => lawsOf({ name: subject, ...ports, apply }, laws),
    real,
    mutants,
  })

/** What a twin does besides its work. */
const kept: Array<tf.Tensor> = []
let calls = 0

const softmax: Apply = ({ x }) => tf.softmax(x!)

export const softmaxMutants = setOf(
  "softmax",
  { in: { x: tensor("float32", "b v", "logit") }, out: tensor("float32", "b v", "[0,1]"), ranges: { v: [2, 4] } },
  [
    deterministic(),
    honestPorts(),
    finite(),
    leavesNothing(),
    batchEquivariant("b"),
    gradientMatchesFiniteDifferences(),
    shiftInvariant("x", "v"),
    gradientSumsToZero("x", "v"),
    permutationEquivariant("v"),
    sumsTo(1, "v"),
    bounded(0, 1),
    nonNegative(),
  ],
  softmax,
  {
    "that differs from call to call": ({ x }) => tf.add(softmax({ x: x! }), 1e-3 * (calls++ % 2)),
    "that gives its logarithm": ({ x }) => tf.logSoftmax(x!),
    "that overflows": ({ x }) => tf.div(tf.exp(x!), tf.sum(tf.exp(x!), -1, true)),
    "that keeps a tensor": ({ x }) => {
      kept.push(tf.keep(tf.scalar(0)))
      return softmax({ x: x! })
    },
    "that is over the batch": ({ x }) => tf.transpose(tf.softmax(tf.transpose(x!))),
    "that has half its gradient": ({ x }) =>
      tf.customGrad((v, save) => {
        const y = tf.softmax(v as tf.Tensor)
        ;(save as tf.GradSaveFunc)([y])
        return {
          value: y,
          gradFunc: (dy: tf.Tensor, [p]: Array<tf.Tensor>) =>
            tf.mul(0.5, tf.mul(p!, tf.sub(dy, tf.sum(tf.mul(dy, p!), -1, true)))),
        }
      })(x!),
    "that is a sigmoid": ({ x }) => tf.sigmoid(x!),
    "that favours earlier classes": ({ x }) => tf.softmax(tf.add(x!, tf.div(1, tf.add(1, tf.range(0, x!.shape[1]!))))),
    "that gives one class less": ({ x }) => tf.slice(softmax({ x: x! }), [0, 0], [x!.shape[0]!, x!.shape[1]! - 1]),
  },
)

const distance: Apply = ({ a, b }) => tf.sum(tf.square(tf.sub(a!, b!)), 1)

export const distanceMutants = setOf(
  "squared distance",
  {
    in: { a: tensor("float32", "b d"), b: tensor("float32", "b d") },
    out: tensor("float32", "b"),
  },
  [
    symmetric("a", "b"),
    zeroIffEqual("a", "b"),
    convex("a"),
    homogeneous(["a", "b"], 2),
    permutationInvariant("d"),
    nonNegative(),
  ],
  distance,
  {
    "that is a dot product": ({ a, b }) => tf.sum(tf.mul(a!, b!), 1),
    "that is a difference": ({ a, b }) => tf.sum(tf.sub(a!, b!), 1),
    "that sees upward gaps alone": ({ a, b }) => tf.sum(tf.square(tf.relu(tf.sub(a!, b!))), 1),
    "that is a root": ({ a, b }) => tf.sum(tf.sqrt(tf.abs(tf.sub(a!, b!))), 1),
    "that weighs axes by their place": ({ a, b }) =>
      tf.sum(tf.mul(tf.range(1, a!.shape[1]! + 1), tf.square(tf.sub(a!, b!))), 1),
    "that adds a constant": (x) => tf.add(1, distance(x)),
  },
)

const difference: Apply = ({ a, b }) => tf.sub(a!, b!)

export const differenceMutants = setOf(
  "difference",
  { in: { a: tensor("float32", "b d"), b: tensor("float32", "b d") }, out: tensor("float32", "b d") },
  [
    antisymmetric("a", "b"),
    linear("a", "b"),
    homogeneous(["a", "b"]),
    monotone("a", "rising"),
    monotone("b", "falling"),
  ],
  difference,
  {
    "that is a sum": ({ a, b }) => tf.add(a!, b!),
    "that is a gap": (x) => tf.abs(difference(x)),
    "that is clipped": (x) => tf.clipByValue(difference(x), -1, 1),
    "that is cubed": (x) => tf.pow(difference(x), tf.scalar(3)),
    "that is turned round": ({ a, b }) => tf.sub(b!, a!),
  },
)

const direction: Apply = ({ x }) => tf.div(x!, tf.norm(x!, 2, 1, true))

export const directionMutants = setOf(
  "direction of a vector",
  { in: { x: tensor("float32", "b d", "embedding") }, out: tensor("float32", "b d", "embedding") },
  [scaleInvariant("x", "d"), odd("x"), idempotent("x"), bounded(-1, 1)],
  direction,
  {
    "that is not divided": ({ x }) => tf.mul(1, x!),
    "that is divided by the square": ({ x }) => tf.div(x!, tf.sum(tf.square(x!), 1, true)),
    "that is divided by the length of the batch": ({ x }) => tf.div(x!, tf.norm(x!)),
    "that has no sign": (x) => tf.abs(direction(x)),
  },
)

export const magnitudeMutants = setOf(
  "magnitude",
  { in: { x: tensor("float32", "b d") }, out: tensor("float32", "b d") },
  [even("x"), nonNegative(), convex("x"), idempotent("x"), homogeneous(["x"])],
  ({ x }) => tf.abs(x!),
  {
    "that cuts what is negative": ({ x }) => tf.relu(x!),
    "that is the number": ({ x }) => tf.mul(1, x!),
    "that is a square": ({ x }) => tf.square(x!),
    "that is a root": ({ x }) => tf.sqrt(tf.abs(x!)),
  },
)

const running: Apply = ({ x, mask }) => tf.cumsum(tf.where(tf.cast(mask!, "bool"), x!, tf.zerosLike(x!)), 1)

export const runningMutants = setOf(
  "running sum under a mask",
  {
    in: { x: tensor("float32", "b t"), mask: tensor("float32", "b t", "mask") },
    out: tensor("float32", "b t"),
    ranges: { t: [2, 4] },
  },
  [
    causal("t"),
    linear("x"),
    maskedNeverLeaks("mask", ["x"]),
    paddingInvariant("mask"),
    paddingInvariant("mask", "t", { side: "left" }),
  ],
  running,
  {
    "that sums what comes": ({ x, mask }) =>
      tf.cumsum(tf.where(tf.cast(mask!, "bool"), x!, tf.zerosLike(x!)), 1, false, true),
    "that multiplies by its mask": ({ x, mask }) => tf.cumsum(tf.mul(x!, mask!), 1),
    "that counts places": ({ x, mask }) => tf.add(running({ x: x!, mask: mask! }), tf.range(0, x!.shape[1]!)),
    "that divides by the length": ({ x, mask }) => tf.div(running({ x: x!, mask: mask! }), x!.shape[1]!),
    "that is cut at 3": (x) => tf.minimum(running(x), 3),
  },
)

export const comingMutants = setOf(
  "sum of what comes",
  { in: { x: tensor("float32", "b t") }, out: tensor("float32", "b t"), ranges: { t: [2, 4] } },
  [causal("t", { reads: "later" }), linear("x")],
  ({ x }) => tf.cumsum(x!, 1, false, true),
  {
    "that sums what came": ({ x }) => tf.cumsum(x!, 1),
    "that is an average of squares": ({ x }) => tf.cumsum(tf.square(x!), 1, false, true),
  },
)
