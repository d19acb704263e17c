/** What is sampled from, under the laws of temperature, top-k and top-p. */
import { transformLogits } from "@millrace/models"
import { samplingLaws } from "@millrace/models/laws"
import { verify } from "./law.js"

verify("transformLogits", samplingLaws(transformLogits))
