import type { RunOrigin } from "@millrace/core/runs"
import { shellWord } from "./shellWord.js"

/** The command that makes a run again. */
export const commandOf = ({ graph, preset, set }: RunOrigin, seed: string, engine: string): string =>
  [
    ...["millrace", "run", graph],
    ...(preset === null ? [] : ["--preset", preset]),
    ...["--seed", seed, "--engine", engine],
    ...set.flatMap((one) => ["--set", one]),
  ]
    .map(shellWord)
    .join(" ")
