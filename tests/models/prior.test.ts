import { flatten, isParamSpec, type ParamSpec, sizeOf, type Tree } from "@millrace/core"
import { priorEmbedding, priorParams, priorPresets } from "@millrace/models"
import { expect, test } from "vitest"
import { verify } from "../laws/law.js"
import { priorModelLaws } from "../laws/priorModelLaws.js"

const count = (params: Tree<ParamSpec>): number =>
  Object.values(flatten(params, isParamSpec)).reduce((sum, { shape }) => sum + sizeOf(shape), 0)

test("Karlo's prior has 1,022,028,544 parameters", () => {
  expect(count(priorParams(priorPresets.karlo))).toBe(1_022_028_544)
})

test("the blocks of the paper's have 1.209 × 10⁹, its table says 1B", () => {
  expect(count(priorParams(priorPresets.unclip).blocks)).toBe(24 * (12 * 2048 ** 2 + 13 * 2048))
})

verify("priorEmbedding", priorModelLaws(priorEmbedding))
