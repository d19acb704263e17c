/** Wheels fetched by the user's own pip, so that its configuration (index, proxy, certificates) holds. */
import { join } from "node:path"
import { type DiskFailed, InstallFailed, lookAt, writeWhole } from "@millrace/core"
import { Effect } from "effect"
import { noSpace } from "./noSpace.js"
import type { Wheel } from "./pins.js"
import { complaint, firstThatRuns, lacksSpace, runProgram, type Words } from "./program.js"

/** How pip is called here; null where it is not. */
export const findPip: Effect.Effect<Words | null> = firstThatRuns([
  ["pip"],
  ["pip3"],
  ["python3", "-m", "pip"],
  ["python", "-m", "pip"],
])

/** The tags that a wheel's name ends in. */
const tagsOf = ({ file }: Wheel) => {
  const [abi, platforms] = file
    .replace(/\.whl$/, "")
    .split("-")
    .slice(-2)
  return { abi: abi!, platforms: platforms!.split(".") }
}

/** What pip is told: one wheel and nothing that it requires, whatever Python pip itself runs on, of any index that has it. */
export const pipOptions = (wheel: Wheel): ReadonlyArray<string> => {
  const { abi, platforms } = tagsOf(wheel)
  return [
    ...["--no-deps", "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp"],
    ...["--abi", abi],
    ...platforms.flatMap((platform) => ["--platform", platform]),
  ]
}

/** The command that fetches a wheel by hand. */
export const pipCommand = (wheel: Wheel): string =>
  ["pip", "download", ...pipOptions(wheel), wheel.requirement].join(" ")

export interface FetchOptions {
  readonly pip: Words
  /** A folder that is removed afterwards. */
  readonly temporary: string
  readonly quiet: boolean
}

/**
 * Fetches a wheel into a folder. pip checks its digest, and says how far it is where stderr is a terminal.
 * @returns its path
 * @fails InstallFailed  no network, no such wheel in the index, or another one of that name
 * @fails DiskFailed     no space
 */
export const pipDownload = (
  wheel: Wheel,
  { pip, temporary, quiet }: FetchOptions,
): Effect.Effect<string, InstallFailed | DiskFailed> =>
  Effect.gen(function* () {
    const list = join(temporary, "requirements.txt")
    yield* writeWhole(list, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`)
    const options = ["--require-hashes", "--requirement", list, "--dest", temporary, "--no-cache-dir"]
    const ran = yield* runProgram([...pip, "download", ...options, ...pipOptions(wheel)], {
      shown: !quiet,
      // What it unpacks on its way would else go where there may be less space.
      env: { TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_RESUME_RETRIES: "5" },
    })
    if (ran?.code === 0) {
      const path = join(temporary, wheel.file)
      if ((yield* lookAt(path))?.kind === "file") return path
    }
    if (lacksSpace(ran)) return yield* noSpace(temporary, complaint(ran))
    return yield* new InstallFailed({
      where: wheel.requirement,
      expected: `pip to fetch ${wheel.file}`,
      received: ran?.code === 0 ? "it fetched another file" : complaint(ran),
      fix:
        "see that there is a network and that pip's index has it (`pip config list`), and run the command again; or fetch it " +
        `elsewhere and give it with --wheel:\n${pipCommand(wheel)}`,
    })
  })
