import type { Affine, Norm } from "./params.js"

/**
 * The parameters of a transformer's block, x -> [ x + attention(norm x) ; x + mlp(norm x) ]: specs, tensors, gradients,
 * whatever stands at the leaves.
 */
export type BlockTree<Leaf> = {
  readonly norm1: Norm<Leaf>
  /** `qkv` d (3 h e), `out` (h e) d */
  readonly attention: { readonly qkv: Affine<Leaf>; readonly out: Affine<Leaf> }
  readonly norm2: Norm<Leaf>
  /** `up` d f, `down` f d */
  readonly mlp: { readonly up: Affine<Leaf>; readonly down: Affine<Leaf> }
}
