import { readFileSync, writeFileSync } from "node:fs"
import { captureSync, optimize, spec, supportedKernels } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { backends, type EagerName, starts } from "./outcomes.js"
import { probes } from "./probes.js"
import { runAll, section } from "./table.js"

const file = new URL("../../../support.md", import.meta.url)
const update = process.env.UPDATE_SUPPORT === "1"

const introduction = `# What every engine supports

Kernels of tfjs that programs are made of, by the type of their operands, and their gradients. The tests write this file from
what ran: \`npm run support\`.

- ✓ the result agrees with the other engines, a gradient with differences in float64 (both to 2e-5 of the largest number)
- – tfjs has no such call or no gradient
- missing: the backend of tfjs has no such kernel, or none that the gradient needs
- alone: it runs, and the engine to compare with refuses
- fails, wrong, differs: it runs and should not be relied on; the number says why
`

const kernelOf = (probe: string): string => /^\w+/.exec(probe)![0]

test("every kernel that programs support has a probe, and no other", () => {
  expect([...new Set(Object.keys(probes).map(kernelOf))].sort()).toEqual([...supportedKernels].sort())
})

test("every probe calls the kernel that it is named after", async () => {
  for (const [name, { call }] of Object.entries(probes)) {
    const run = (a: tf.Tensor, b: tf.Tensor, image: tf.Tensor, ids: tf.Tensor) =>
      call({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, image: image as tf.Tensor4D, ids: ids as tf.Tensor1D })
    const dtype = name.startsWith("Logical") || name === "All" || name === "Any" ? "bool" : "float32"
    const program = captureSync({
      name,
      state: {},
      inputs: {
        a: spec(dtype, [3, 4]),
        b: spec(dtype, [3, 4]),
        image: spec(dtype, [2, 4, 6, 2]),
        ids: spec("int32", [3]),
      },
      body: (_, { a, b, image, ids }) => {
        const made = run(a!, b!, image!, ids!)
        return { outputs: Object.fromEntries([made].flat().map((tensor, i) => [String(i), tensor as tf.Tensor])) }
      },
    })
    // Some kernels are made by the passes alone.
    const recorded = new Set([...program.equations, ...optimize(program).equations].map(({ op }) => op))
    if (recorded.has(kernelOf(name))) continue
    // What capture writes out as plainer kernels is one kernel on a backend of tfjs.
    const { kernelNames } = await tf.profile(
      () =>
        [run(tf.ones([3, 4]), tf.ones([3, 4]), tf.ones([2, 4, 6, 2]), tf.zeros([3], "int32"))].flat()[0] as tf.Tensor,
    )
    expect(kernelNames, name).toContain(kernelOf(name))
  }
})

test("support.md says what ran", { timeout: 120_000 }, async () => {
  const names = Object.keys(backends) as ReadonlyArray<EagerName>
  const started = await Promise.all(names.map(starts))
  const engines = names.filter((_, i) => started[i])
  const all = await runAll(engines)
  const sections = new Map(["onnx", ...engines].map((engine) => [engine, section(engine, all)]))
  const written = (() => {
    try {
      return readFileSync(file, "utf8")
    } catch {
      return ""
    }
  })()
  const kept = new Map(
    written
      .split(/\n(?=## )/)
      .slice(1)
      .map((text) => [/^## (.*)/.exec(text)![1]!, text.trimEnd()]),
  )
  if (update) {
    const merged = new Map([...kept, ...sections])
    const order = ["onnx", ...names].flatMap((engine) => merged.get(engine) ?? [])
    writeFileSync(file, `${[introduction.trimEnd(), ...order].join("\n\n")}\n`)
    return
  }
  for (const [engine, text] of sections) {
    // An engine that the file was written without, such as one that the user installed, has nothing to be compared with.
    if (engine === "tfjs:node" && !kept.has(engine)) continue
    expect(kept.get(engine), "support.md is out of date: run npm run support").toBe(text)
  }
})
