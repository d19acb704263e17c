/** The optimiser: rewrites that keep a program's meaning, as a table. Each row names the law that it rests on. */
import { imageOperands } from "./imageKernels.js"
import type { Program } from "./ir.js"
import { broadcasts } from "./passes/broadcasts.js"
import { channels } from "./passes/channels.js"
import { convBias } from "./passes/convBias.js"
import { embeddings } from "./passes/embeddings.js"
import { fold } from "./passes/fold.js"
import { identities } from "./passes/identities.js"
import { layout } from "./passes/layout.js"
import { patches } from "./passes/patches.js"
import { products } from "./passes/products.js"
import { reshapes } from "./passes/reshapes.js"
import { prune, type Rule, rewrite } from "./passes/rewrite.js"
import { share } from "./passes/sharing.js"
import { splits } from "./passes/splits.js"
import { squares } from "./passes/squares.js"
import { transposes } from "./passes/transposes.js"

export interface Pass {
  readonly name: string
  /** Why the rewritten program means the same. */
  readonly law: string
  /** Returns the same object where it changes nothing. Where no kernel of images is, it makes no more equations but reshapes. */
  readonly run: (program: Program) => Program
}

const pass = (name: string, law: string, rule: Rule): Pass => ({ name, law, run: (program) => rewrite(program, rule) })

/** A pass for programs with images; any other program is left as it is. */
const imagePass = (name: string, law: string, rule: Rule): Pass => ({
  name,
  law,
  run: (program) => (program.equations.some(({ op }) => imageOperands.has(op)) ? rewrite(program, rule) : program),
})

/** In the order in which they run. None reassociates floating-point sums, none assumes that a value is finite. */
export const defaultPasses: ReadonlyArray<Pass> = [
  { name: "dead code", law: "what no output reads decides no output", run: prune },
  pass("constants", "f(c) of a constant c is a constant", fold),
  pass(
    "identities",
    "x · 1 = x, x + 0 = x, −(−x) = x, a cast to its own type, a reduction of axes of size 1",
    identities,
  ),
  pass("layout", "reshape ∘ reshape is a reshape, transpose ∘ transpose a transpose", layout),
  pass("splits", "the parts of a last axis do not depend on the axes before it", splits),
  pass("reshapes", "f(reshape x, reshape y) = reshape f(x, y) for an elementwise f", reshapes),
  imagePass("patches", "a convolution whose windows lie side by side is a product of patches with the filter", patches),
  imagePass("channels", "K of images is T⁻¹ ∘ K' ∘ T, where K' has channels first", channels),
  { name: "transposes", law: "f(T x) = T f(x) for an f that treats all axes alike", run: transposes },
  imagePass("biases", "conv(x) + b is one kernel", convBias),
  pass("broadcasts", "f(broadcast x, y) = f(x, y) for an elementwise f that broadcasts", broadcasts),
  pass("products", "(Aᵀ) B = A B with a flag, (A B)ᵀ = Bᵀ Aᵀ, A B + c and c · A B are one kernel", products),
  pass("embeddings", "rows that no id names get nothing", embeddings),
  pass("squares", "Σ x² needs no tensor of squares", squares),
  { name: "sharing", law: "equal kernels of equal values are equal", run: share },
]

/** A bound for rewrites that would undo each other; real programs settle within a few rounds. */
const rounds = 32

/** The program after all passes, over and over until none changes it. */
export const optimize = (program: Program, passes: ReadonlyArray<Pass> = defaultPasses): Program => {
  let current = program
  for (let round = 0; round < rounds; round++) {
    const before = current
    for (const { run } of passes) current = run(current)
    if (current === before) break
  }
  return current
}
