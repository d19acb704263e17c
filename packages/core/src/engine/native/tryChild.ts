/** The process that a native engine is tried in. */
import { Effect } from "effect"
import { nativeEngineNames } from "../../engine.js"
import { messageOf } from "../../errors.js"
import type { TryAnswer } from "./tryAnswer.js"
import { tryNative } from "./tryNative.js"

const [given, folder] = process.argv.slice(2)
const name = nativeEngineNames.find((one) => one === given) ?? "tfjs-node"

const answer = tryNative(name, folder).pipe(
  Effect.map((version): TryAnswer => ({ version })),
  Effect.catch((error) => {
    process.stderr.write(messageOf(error))
    process.exitCode = 1
    return Effect.succeed<TryAnswer>({ received: error.received, fix: error.fix })
  }),
)

Effect.runPromise(answer).then((one) => process.stdout.write(JSON.stringify(one)))
