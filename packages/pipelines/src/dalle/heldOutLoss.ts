/** How well a sparse transformer predicts what it has not learnt from. */
import { Engine, forward, type HostTensors, type Objective, Stage } from "@millrace/core"
import type { SparseConfig, Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { CodedSet } from "../artifacts/imageCodes.js"
import { spread } from "../spread.js"
import { rounded } from "../statistics.js"
import { captionTokens } from "./captionTokens.js"
import { codedRows, codedSpecs } from "./codedRows.js"

/** Tells the cross-entropies of at most `count` held-out images with their first captions. */
export const tellHeldOutLoss = (
  model: SparseConfig,
  objective: Objective,
  trained: HostTensors,
  heldOut: CodedSet,
  tokenizer: Tokenizer,
  count: number,
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const engine = yield* Engine
      const indices = spread(heldOut.captions.length, count)
      const batch = Math.min(64, indices.length)
      const program = yield* engine.compile(forward(objective, codedSpecs(model, batch)))
      const params = yield* engine.allocate(trained)
      const sums = { textLoss: 0, imageLoss: 0 }
      let parts = 0
      for (let from = 0; from + batch <= indices.length; from += batch, parts++) {
        const rows = codedRows(model, heldOut, indices.slice(from, from + batch), ([first]) =>
          captionTokens(tokenizer, first!, model.text),
        )
        const out = yield* program.run({ state: { params }, inputs: rows })
        sums.textLoss += out.textLoss!.data[0]!
        sums.imageLoss += out.imageLoss!.data[0]!
      }
      yield* emit({
        type: "stage.table",
        title: `Cross-entropy on ${parts * batch} held-out images`,
        columns: ["tokens", "nat a token", "nat a token if all were alike"],
        rows: [
          ["text", rounded(sums.textLoss / parts, 3), rounded(Math.log(model.textVocab + model.text), 3)],
          ["image", rounded(sums.imageLoss / parts, 3), rounded(Math.log(model.imageVocab), 3)],
        ],
      })
    }),
  )
