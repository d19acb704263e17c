import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Engines } from "@millrace/core"
import { ManagedRuntime } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import { lawsOf } from "./lawsOf.js"
import { parityModels } from "./models.js"
import { compare, type Parity } from "./parity.js"
import { parityTable, withoutFigures } from "./table.js"

const runtime = ManagedRuntime.make(Engines.layer("onnx", { threads: 2 }))
afterAll(() => runtime.dispose())

const rows = parityModels.map((model) => ({ model, found: [] as Array<Parity> }))

describe.each(rows)("$model.model", ({ model, found }) => {
  test.each(model.fixtures)("has the oracle's outputs and gradients: %s", async (fixture) => {
    const parity = await runtime.runPromise(compare(model, fixture))
    found.push(parity)
    const { outputs, gradients } = parity
    expect(outputs.value, outputs.tensor).toBeLessThan(model.tolerance.outputs)
    expect(gradients.value, gradients.tensor).toBeLessThan(model.tolerance.gradients)
  })
})

describe("packages/models/README.md", () => {
  const file = fileURLToPath(new URL("../../packages/models/README.md", import.meta.url))
  const [begin, end] = ["<!-- parity: npm run parity -->", "<!-- /parity -->"]

  test("names laws of docs/laws.md for every model", () => {
    const laws = readFileSync(fileURLToPath(new URL("../../docs/laws.md", import.meta.url)), "utf8")
    const headings = new Set([...laws.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading))
    expect(parityModels.map(({ model }) => model).filter((model) => (lawsOf[model] ?? []).length === 0)).toEqual([])
    expect(
      Object.values(lawsOf)
        .flat()
        .filter((subject) => !headings.has(subject)),
    ).toEqual([])
  })

  test("shows what every model was compared with, and no cell is empty", () => {
    const table = parityTable(rows)
    const text = readFileSync(file, "utf8")
    const [before, rest] = text.split(begin)
    const [written, after] = rest!.split(end)
    if (process.env.UPDATE_PARITY !== undefined) writeFileSync(file, `${before}${begin}\n\n${table}\n\n${end}${after}`)
    else expect(withoutFigures(written!.trim()), "out of date: run npm run parity").toBe(withoutFigures(table))
    expect(table).not.toMatch(/\| +\|/)
  })
})
