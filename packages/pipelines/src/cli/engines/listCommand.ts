/** `millrace engines`: which engines work on this machine, and why the others do not. */
import { type Diagnosis, doctor, textTable } from "@millrace/core"
import { Effect } from "effect"
import { jsonText } from "../jsonText.js"
import { print } from "../print.js"

const rowOf = (found: Diagnosis): ReadonlyArray<string> =>
  found.state === "ready"
    ? [found.engine, "ready", found.detail]
    : [found.engine, "missing", `${found.reason}; ${found.remedy}`]

const textOf = (found: ReadonlyArray<Diagnosis>): string =>
  textTable({
    title: `Engines on Node ${process.versions.node}`,
    columns: ["engine", "state", "detail"],
    rows: found.map(rowOf),
  })

export const listCommand = ({ json }: { readonly json: boolean }): Effect.Effect<void> =>
  Effect.flatMap(doctor(), (found) => print(json ? jsonText(found) : textOf(found)))
