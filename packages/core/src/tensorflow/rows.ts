/** What TensorFlow computes in operations of its own, in place of what tfjs or this package write in several. */
import { adamWRow } from "./adamw.js"
import { attentionRow } from "./attention.js"
import { geluRow } from "./gelu.js"
import { layerNormRow } from "./layerNorm.js"
import { linearRow } from "./linear.js"
import { productsRow } from "./products.js"
import { quickGeluRow } from "./quickGelu.js"
import type { Row } from "./row.js"
import { sumOfSquaresRow } from "./sums.js"

export const rows: ReadonlyArray<Row> = [
  productsRow,
  linearRow,
  attentionRow,
  layerNormRow,
  geluRow,
  quickGeluRow,
  sumOfSquaresRow,
  adamWRow,
]
