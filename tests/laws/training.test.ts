import { expect, test } from "vitest"
import { averageLaws } from "./averageLaws.js"
import { broken, verify } from "./law.js"
import { learningRateLaws } from "./learningRateLaws.js"
import { adam, averaging, optimise, rate } from "./mutants/training.js"
import { adamLaws } from "./optimiserLaws.js"

verify("trainStep, AdamW", adamLaws(optimise))
verify("learningRate", learningRateLaws(rate))
verify("averagedWeights", averageLaws(averaging))

test("the Adam that the broken ones vary breaks no law", () => {
  expect(broken(adamLaws(adam({})))).toEqual([])
})
