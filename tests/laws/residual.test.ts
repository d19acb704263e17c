import { doubled, halved } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { verify } from "./law.js"
import { real } from "./mutants/residual.js"
import { residualLaws } from "./residualLaws.js"

verify("residual", residualLaws(real))

test("halving what was doubled gives it back", () => {
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2])
  expect([...halved(doubled(x)).dataSync()]).toEqual([...x.dataSync()])
  expect(doubled(x).shape).toEqual([1, 4, 4, 2])
})
