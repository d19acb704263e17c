/** What a running stage is given: an engine, its own random key, and a way to tell what it does. */
import { Context, type Effect, type Scope } from "effect"
import type { Files } from "../artifact.js"
import type { Checkpoints } from "../checkpoint/checkpoint.js"
import type { Engine } from "../engine.js"
import type { Key } from "../random/key.js"
import type { RunEvent } from "./event.js"
import type { Shelf } from "./keptPath.js"

/** An event without the name of the stage, which the run adds. */
export type StageEvent = RunEvent extends infer E
  ? E extends { readonly stage: string }
    ? Omit<E, "stage">
    : never
  : never

export class Stage extends Context.Service<
  Stage,
  {
    readonly name: string
    /** The stage's own key: the run's seed, split by the stage's name. */
    readonly key: Key
    readonly emit: (event: StageEvent) => Effect.Effect<void>
    /**
     * Puts files into the run folder at once, under this stage: what must survive if the stage fails later, and images to
     * look at. Nothing of it is part of a digest. `keptPath` tells where a file is.
     */
    readonly keep: (name: string, files: Files, folder?: Shelf) => Effect.Effect<void>
    /**
     * Where a long stage goes on from when its run is resumed. One that saves none starts over, which is right for what takes
     * a minute at most. `betweenSteps` does all that a stage owes between two steps.
     */
    readonly checkpoints: Checkpoints
    /** Whether the run was asked to stop: a stage then ends at its next step. */
    readonly stopping: Effect.Effect<boolean>
  }
>()("millrace/Stage") {}

/** The services that a stage may use. */
export type StageContext = Engine | Stage | Scope.Scope
