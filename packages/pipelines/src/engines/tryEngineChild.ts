/** The process that an engine is tried in: `tryEngineChild.js <name> <folder>`. */
import { messageOf, tryInstalled } from "@millrace/core"
import { nativeEngineNames } from "@millrace/core/engine"
import { Effect } from "effect"

const [given, folder = ""] = process.argv.slice(2)
const name = nativeEngineNames.find((one) => one === given) ?? "tfjs-node"

Effect.runPromise(tryInstalled(name, folder)).then(
  (version) => process.stdout.write(version),
  (error: unknown) => {
    process.stderr.write(messageOf(error))
    process.exitCode = 1
  },
)
