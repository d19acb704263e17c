/** A trained tokenizer as an artifact: GPT-2's two vocabulary files. */
import { artifactKind } from "@millrace/core"
import { saveTokenizer, type Tokenizer } from "@millrace/models"

export const tokenizerKind = artifactKind("tokenizer", (tokenizer: Tokenizer) => saveTokenizer(tokenizer))
