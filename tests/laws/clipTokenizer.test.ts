import { clipTokenizer } from "@millrace/models"
import { tokenizerFixtures } from "../fixtures/clipTokenizer.js"
import { clipTokenizerLaws } from "./clipTokenizerLaws.js"
import { verify } from "./law.js"

for (const { name, file } of tokenizerFixtures) {
  verify(`clipTokenizer with ${name} vocabulary`, clipTokenizerLaws(clipTokenizer(file)))
}
