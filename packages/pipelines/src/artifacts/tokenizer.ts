/** A trained tokenizer as an artifact: GPT-2's two vocabulary files. */
import { artifactKind, namedFiles } from "@millrace/core"
import type { Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import { tokenizerFiles } from "./tokenizerFiles.js"

export const tokenizerKind = artifactKind(
  "tokenizer",
  (tokenizer: Tokenizer) => tokenizerFiles.write(tokenizer),
  (files) =>
    Effect.flatMap(namedFiles(files, "tokenizer", tokenizerFiles.names), (found) =>
      tokenizerFiles.read(found, "tokenizer"),
    ),
)
