import { Engines } from "@millrace/core"
import { ManagedRuntime } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import { parityModels } from "./models.js"
import { compare } from "./parity.js"

const runtime = ManagedRuntime.make(Engines.layer("onnx", { threads: 2 }))
afterAll(() => runtime.dispose())

describe.each(parityModels)("$model", (model) => {
  test.each(model.fixtures)("has the oracle's outputs and gradients: %s", async (fixture) => {
    const { oracle, outputs, gradients } = await runtime.runPromise(compare(model, fixture))
    const show = ({ tensor, value }: { tensor: string; value: number }) => `${value.toExponential(1)} (${tensor})`
    console.info(`${fixture}: ${oracle}: outputs ${show(outputs)}, gradients ${show(gradients)}`)
    expect(outputs.value, outputs.tensor).toBeLessThan(model.tolerance.outputs)
    expect(gradients.value, gradients.tensor).toBeLessThan(model.tolerance.gradients)
  })
})
