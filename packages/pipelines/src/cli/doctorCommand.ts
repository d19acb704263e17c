/** `millrace doctor`: which engines work on this machine. */
import { type Diagnosis, doctor, textTable } from "@millrace/core"
import { Effect } from "effect"
import { print } from "./print.js"

const rowOf = (found: Diagnosis): ReadonlyArray<string> =>
  found.state === "ready"
    ? [found.engine, "ready", found.detail]
    : [found.engine, "missing", `${found.reason}; ${found.remedy}`]

export const doctorCommand = (): Effect.Effect<void> =>
  Effect.gen(function* () {
    const found = yield* doctor()
    const columns = ["engine", "state", "detail"]
    yield* print(textTable({ title: `Engines on Node ${process.versions.node}`, columns, rows: found.map(rowOf) }))
  })
