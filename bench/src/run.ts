/**
 * The benchmark: `npm run bench`. Prints a table and writes it as JSON to bench/results.json.
 * Cases take turns; figures are medians.
 */
import { writeFileSync } from "node:fs"
import { availableParallelism, cpus } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Engine, Engines } from "@millrace/core"
import { Effect } from "effect"
import { gptSample } from "./gptSample.js"
import { gptTrain } from "./gptTrain.js"
import { alternate } from "./measure.js"

const main = Effect.gen(function* () {
  const engine = yield* Engine
  const train = yield* gptTrain
  const samples = yield* gptSample
  const cases = [train, ...samples]
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const trained = yield* Effect.promise(async () => {
    await alternate([train], 1, 2)
    delay.enable()
    return alternate([train], 20, 0)
  })
  delay.disable()
  const measured = [...trained, ...(yield* Effect.promise(() => alternate(samples, 5, 1)))]
  const rows = measured.map((row, i) => ({ ...row, tokensPerSecond: cases[i]!.tokens / row.median }))
  const machine = `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads, Node ${process.versions.node}`
  console.log(`${engine.version} on ${machine}\n`)
  for (const { name, median, fastest, slowest, tokensPerSecond } of rows) {
    const spread = `${fastest.toFixed(3)}–${slowest.toFixed(3)} s`
    console.log(
      `${name.padEnd(46)} ${median.toFixed(3)} s (${spread})  ${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`,
    )
  }
  const ratio = rows[1]!.tokensPerSecond / rows[2]!.tokensPerSecond
  console.log(`\nsampling with the cache makes ${ratio.toFixed(1)} times the tokens a second`)
  const delayMilliseconds = delay.percentile(99) / 1e6
  console.log(
    `while training, the main thread's event loop is at most ${delayMilliseconds.toFixed(1)} ms late (99th percentile)`,
  )
  const file = new URL("../results.json", import.meta.url)
  writeFileSync(
    file,
    `${JSON.stringify({ engine: engine.version, machine, rows, cacheRatio: ratio, delayMilliseconds }, null, 2)}\n`,
  )
})

await Effect.runPromise(main.pipe(Effect.scoped, Effect.provide(Engines.layer("onnx"))))
