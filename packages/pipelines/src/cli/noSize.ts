import { BadConfig } from "@millrace/core/errors"
import { paperNames } from "@millrace/models/paperNames"
import { Effect, Option } from "effect"
import { type Ended, usage } from "./exit.js"

/** @fails Ended  2: a size for what is no model */
export const noSize = (graph: string, size: Option.Option<string>): Effect.Effect<void, Ended> =>
  Option.match(size, {
    onNone: () => Effect.void,
    onSome: (value) =>
      Effect.fail(
        usage(
          new BadConfig({
            where: graph,
            expected: `a model (${paperNames.join(", ")}) for --size`,
            received: `--size ${value}`,
            fix: "leave --size out: a graph has the sizes that its nodes are configured with",
          }),
        ),
      ),
  })
