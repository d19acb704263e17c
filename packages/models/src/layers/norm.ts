import { layerNorm } from "@millrace/core/definitions"
import type * as tf from "@tensorflow/tfjs-core"
import type { Norm } from "./params.js"

/** Layer norm with the epsilon of all transformers here, 1e-5. float32 `… d` -> `… d` */
export const norm = (p: Norm<tf.Tensor>, x: tf.Tensor): tf.Tensor =>
  layerNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, 1e-5)
