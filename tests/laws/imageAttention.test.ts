import { imageAttentionLaws } from "./imageAttentionLaws.js"
import { verify } from "./law.js"
import { real } from "./mutants/imageAttention.js"

verify("imageAttention", imageAttentionLaws(real))
