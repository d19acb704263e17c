import { Effect, Option } from "effect"
import type { Made } from "../store/made.js"
import type { RunOptions } from "./runGraph.js"
import { toldBefore } from "./toldBefore.js"

/** What earlier processes told and showed of a stage that went on from a step: nothing where it began anew. */
export const earlierPart = <E, R>(stage: string, from: number | undefined, { earlier, cache }: RunOptions<E, R>) =>
  Effect.gen(function* () {
    const told = from === undefined || earlier === undefined ? [] : toldBefore(earlier.events, stage, from)
    const images: Array<Made["images"][number]> = []
    for (const event of told) {
      if (event.type !== "stage.images" || earlier === undefined || cache === undefined) continue
      const name = event.file.slice(event.file.lastIndexOf("/") + 1)
      const bytes = yield* Effect.option(earlier.image(event.file))
      if (Option.isSome(bytes)) {
        images.push({ name: event.title, files: yield* cache.putImages({ [name]: bytes.value }) })
      }
    }
    return { told, images }
  })
