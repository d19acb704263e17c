import { readRun, makeCrate } from "@millrace/core/crate"
import { registry } from "@millrace/core"
import { dataSetsOf } from "../packages/pipelines/dist/crate/dataSets.js"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
const mods = await Promise.all(["instructgpt","clip","dalle","dalle2"].map((n) => import(`@millrace/examples/${n}`)))
const all = registry(mods.flatMap((m) => m.registry.types))
for (const id of process.argv.slice(2)) {
  const t = performance.now()
  const record = await Effect.runPromise(readRun(id, `/tmp/s3/runs/${id}`, all))
  const bytes = makeCrate(record, { dataSets: dataSetsOf(record), version: "0.1.0" })
  writeFileSync(`/tmp/s3/${record.graph.name}.crate.zip`, bytes)
  console.log(id, record.graph.name, bytes.length, performance.now() - t)
}
