/** Weights as a folder in Hugging Face's layout, where `transformers` has the model, else as the artifact's own files. */
import { BadConfig, BadData, type Files, type Graph, type RunFacts } from "@millrace/core"
import { saveClip, saveGpt, type Tokenizer, tokenizerJson } from "@millrace/models"
import { Effect } from "effect"
import { clipModelKind } from "../../artifacts/clipModel.js"
import { languageModelKind } from "../../artifacts/languageModel.js"
import { tokenizerKind } from "../../artifacts/tokenizer.js"
import { type Ended, failed, usage } from "../exit.js"
import { artifactsOf, type MadeArtifact } from "./madeArtifact.js"
import { modelCard } from "./modelCard.js"

interface Written {
  readonly files: Files
  readonly use: ReadonlyArray<string>
}

const read = <A>(effect: Effect.Effect<A, BadData>): Effect.Effect<A, Ended> => Effect.mapError(effect, failed)

/** The one tokenizer of the run that has as many tokens as a model. */
const tokenizerFor = (run: RunFacts, graph: Graph, vocab: number): Effect.Effect<Tokenizer | undefined, Ended> =>
  Effect.gen(function* () {
    const all = yield* artifactsOf(run, graph, tokenizerKind.name)
    const tokenizers = yield* Effect.forEach(all, ({ files }) => read(tokenizerKind.read!(files)))
    const fitting = tokenizers.filter(({ size }) => size === vocab)
    return fitting.length === 1 ? fitting[0] : undefined
  })

const gptFolder = (run: RunFacts, graph: Graph, { files }: MadeArtifact): Effect.Effect<Written, Ended> =>
  Effect.gen(function* () {
    const { config, params } = yield* read(languageModelKind.read!(files))
    const tokenizer = yield* tokenizerFor(run, graph, config.vocab)
    return {
      files: saveGpt(config, params, tokenizer),
      use: [
        "`transformers.GPT2LMHeadModel.from_pretrained` reads the folder.",
        tokenizer === undefined
          ? "The run has no tokenizer of this vocabulary, or several: none is here."
          : '`transformers.PreTrainedTokenizerFast(tokenizer_file="tokenizer.json")` reads its tokens.',
      ],
    }
  })

const clipFolder = ({ files }: MadeArtifact): Effect.Effect<Written, Ended> =>
  Effect.gen(function* () {
    const { config, params, tokenizer } = yield* read(clipModelKind.read!(files))
    if (config.image.kind !== "vit") {
      return {
        files,
        use: ["`transformers` has no CLIP with a modified ResNet: the names of the tensors are Millrace's own."],
      }
    }
    const json = new TextEncoder().encode(tokenizerJson(tokenizer))
    return {
      files: { ...saveClip(config, params), "tokenizer.json": json },
      use: [
        "`transformers.CLIPModel.from_pretrained` reads the folder.",
        "A text is given in lower case with single spaces and one before its first word, as tokens of `tokenizer.json`, then the " +
          `token of the end of text (${tokenizer.endOfText}), then zeros; there is no token before the first.`,
      ],
    }
  }).pipe(
    Effect.catchDefect((defect) => (defect instanceof BadConfig ? Effect.fail(failed(defect)) : Effect.die(defect))),
  )

const ownFiles = ({ files, kind, stage }: MadeArtifact): Effect.Effect<Written, Ended> =>
  Object.keys(files).some((name) => name.endsWith(".safetensors"))
    ? Effect.succeed({
        files,
        use: [
          "The names of the tensors are Millrace's own; axes are in the order that the names of its models' parameters say.",
        ],
      })
    : Effect.fail(
        usage(
          new BadData({
            where: stage,
            expected: "an artifact with weights",
            received: `one of kind ${kind}, with ${Object.keys(files).join(", ") || "no files"}`,
            fix: "name a stage that trains a model",
          }),
        ),
      )

/** @fails Ended  2: an artifact without weights; 1: one that is damaged */
export const safetensorsFolder = (run: RunFacts, graph: Graph, made: MadeArtifact): Effect.Effect<Files, Ended> =>
  Effect.gen(function* () {
    const written =
      made.kind === languageModelKind.name
        ? yield* gptFolder(run, graph, made)
        : made.kind === clipModelKind.name
          ? yield* clipFolder(made)
          : yield* ownFiles(made)
    return { ...written.files, "README.md": yield* modelCard(run, made, written.use) }
  })
