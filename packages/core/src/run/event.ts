/** What a run tells while it happens: one typed stream, written as JSON lines and shown in the terminal. */

export type RunEvent =
  | {
      readonly type: "run.started"
      readonly run: string
      readonly graph: string
      readonly stages: ReadonlyArray<string>
    }
  | {
      /** A run that was stopped or killed goes on: stages that were finished are not run again, others go on from their checkpoints. */
      readonly type: "run.resumed"
      readonly run: string
      readonly graph: string
      readonly stages: ReadonlyArray<string>
    }
  | { readonly type: "stage.started"; readonly stage: string; readonly node: string; readonly steps?: number }
  | {
      /** One step of a long stage. `values` are scalars by name: loss, learningRate, gradientNorm, … */
      readonly type: "stage.step"
      readonly stage: string
      readonly step: number
      readonly steps: number
      readonly values: Readonly<Record<string, number>>
      /** Work done in this step, in `unit`s: tokens, samples, … */
      readonly amount: number
      readonly unit: string
    }
  | {
      /** Samples to look at: one column a policy, one row a prompt. */
      readonly type: "stage.samples"
      readonly stage: string
      readonly columns: ReadonlyArray<string>
      readonly rows: ReadonlyArray<ReadonlyArray<string>>
    }
  | {
      /** A table of results. */
      readonly type: "stage.table"
      readonly stage: string
      readonly title: string
      readonly columns: ReadonlyArray<string>
      readonly rows: ReadonlyArray<ReadonlyArray<string | number>>
      /** Columns that are a curve as well: one line for each of `y`, over `x`. */
      readonly curve?: { readonly x: string; readonly y: ReadonlyArray<string> }
    }
  | {
      /** A grid of images to look at: tiles of one size side by side in one PNG, row by row. */
      readonly type: "stage.images"
      readonly stage: string
      /** Grids of one title are one picture over time. */
      readonly title: string
      /** The step after which it was made, 0 where there are no steps. */
      readonly step: number
      /** Path of the PNG in the run folder. */
      readonly file: string
      /** Rows and columns of pixels of a tile. */
      readonly size: readonly [y: number, x: number]
      readonly columns: number
      /** What belongs to each tile; empty where nothing does. */
      readonly texts: ReadonlyArray<string>
      readonly columnNames: ReadonlyArray<string>
      readonly rowNames: ReadonlyArray<string>
      /** Rows of numbers, one number a tile: similarities of each image to each caption. */
      readonly numbers?: ReadonlyArray<{ readonly name: string; readonly values: ReadonlyArray<number> }>
    }
  | { readonly type: "stage.note"; readonly stage: string; readonly text: string }
  | {
      readonly type: "stage.ended"
      readonly stage: string
      readonly seconds: number
      /** SHA-256 of each output, by port. */
      readonly digests: Readonly<Record<string, string>>
      /** The most bytes that the run's processes held together while it ran, where the system tells. */
      readonly memory?: number
    }
  | {
      /** The stage did not run: it was found in the store. What it told when it ran follows. */
      readonly type: "stage.cached"
      readonly stage: string
      readonly node: string
      readonly digests: Readonly<Record<string, string>>
      /** The run that made it, and how long that took. */
      readonly from: string
      readonly seconds: number
    }
  | { readonly type: "stage.failed"; readonly stage: string; readonly error: string }
  | {
      readonly type: "run.ended"
      readonly run: string
      readonly seconds: number
      readonly status: "done" | "failed" | "stopped"
    }

/** An event with its place in the run: `sequence` orders, `seconds` since the start is a label (monotonic clock). */
export type StampedEvent = RunEvent & { readonly sequence: number; readonly secondsSinceStart: number }
