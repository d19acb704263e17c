import { gradCache } from "@millrace/models"
import { gradCacheLaws } from "./gradCacheLaws.js"
import { verify } from "./law.js"

verify("gradCache", gradCacheLaws(gradCache))
