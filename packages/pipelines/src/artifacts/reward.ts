/** A reward: anything that scores whole answers. A reward model is one; so is a rule written in code. */
import { artifactKind, type CompileError, type Engine, type EngineError, type Files, namedFiles } from "@millrace/core"
import { Effect, type Scope } from "effect"
import { modelReward, rewardModelFiles } from "../instructgpt/modelReward.js"
import { codeAlone } from "./codeAlone.js"
import type { LanguageModel } from "./languageModel.js"

/** Prompts with their answers, as tokens and as text. */
export interface Scored {
  /** Prompt and answer, padded on the right: int32 b t. */
  readonly tokens: Int32Array
  /** 1 for a real token: float32 b t. */
  readonly mask: Float32Array
  readonly batch: number
  readonly width: number
  /** The answers alone, decoded. */
  readonly texts: ReadonlyArray<string>
}

/** Scores of a batch, one an answer. */
export type Scorer = (scored: Scored) => Effect.Effect<Float32Array, EngineError>

export interface Reward {
  readonly source: string
  /** Makes a scorer for batches of `batch` rows of `width` tokens; it lives as long as the scope. */
  readonly open: (
    batch: number,
    width: number,
  ) => Effect.Effect<Scorer, CompileError | EngineError, Engine | Scope.Scope>
  readonly files: Files
  /** The model behind it, where there is one: a value model may start from it. Names begin with `reward.`. */
  readonly model?: LanguageModel
}

/** Files of a reward model are read. Those of a rule are not the rule: its stage makes it again. */
export const rewardKind = artifactKind(
  "reward",
  (reward: Reward) => reward.files,
  (files) =>
    Effect.gen(function* () {
      const { names } = rewardModelFiles
      if (names.every((name) => !Object.hasOwn(files, name))) return yield* codeAlone("reward", "a reward model", files)
      const { config, params } = yield* rewardModelFiles.read(yield* namedFiles(files, "reward", names))
      return modelReward(config, params)
    }),
)
