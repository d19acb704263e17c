/** `millrace engines remove`: undoes `engines add`. */
import type { NativeEngineName } from "@millrace/core/engine"
import { DiskFailed } from "@millrace/core/errors"
import { Effect } from "effect"
import { bytesText } from "../../engines/bytesText.js"
import { forEngines } from "../../engines/noSpace.js"
import { uninstall } from "../../engines/uninstall.js"
import { type Ended, failed } from "../exit.js"
import { print } from "../print.js"

/** @fails Ended  1 another process is at work on the engines, or files cannot be removed */
export const removeCommand = ({ name }: { readonly name: NativeEngineName }): Effect.Effect<void, Ended> =>
  uninstall(name).pipe(
    Effect.mapError((error) => failed(error instanceof DiskFailed ? forEngines(error) : error)),
    Effect.flatMap((bytes) =>
      print(bytes === 0 ? `${name} is not installed: nothing to remove` : `removed ${name}, ${bytesText(bytes)}`),
    ),
  )
