/** `millrace verify`: checks a crate, runs nothing. */
import { verdictsOf, verdictText } from "@millrace/core/crate"
import { Effect } from "effect"
import type { Ended } from "./exit.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"
import { readCrate } from "./readCrate.js"

export interface VerifyArguments {
  readonly crate: string
  readonly module: ReadonlyArray<string>
  readonly json: boolean
}

/** @fails Ended  2 usage, 3 what is wrong with the crate */
export const verifyCommand = ({ crate: path, module, json }: VerifyArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const crate = yield* readCrate(path, module)
    const artifacts = Object.values(crate.digests).reduce((sum, ports) => sum + Object.keys(ports).length, 0)
    const told = {
      crate: path,
      sha256: crate.digest,
      graph: crate.graph.name,
      graphHash: crate.hash,
      seed: crate.environment.seed ?? null,
      engine: crate.environment.engine ?? null,
      files: Object.keys(crate.files).length,
      artifacts,
      rules: crate.rules,
      laws: crate.laws === null ? null : verdictsOf(crate.laws),
    }
    yield* print(
      json
        ? jsonText(told)
        : [
            `${path} is whole`,
            `  graph    ${told.graph}, ${told.graphHash.slice(0, 12)}, seed ${String(told.seed)}, ${String(told.engine)}`,
            `  files    ${told.files}, each with the digest that the manifest and the metadata tell`,
            `  made     ${told.artifacts} artifacts, each with the digest that the run told`,
            `  profile  Provenance Run Crate 0.5, ${told.rules} requirements hold`,
            `  laws     ${crate.laws === null ? "none were checked" : verdictText(crate.laws)}`,
            `  SHA-256  ${told.sha256}: compare it with the published one`,
          ].join("\n"),
    )
  })
