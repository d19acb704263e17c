import { imageSamplerFunctions } from "@millrace/models"
import { imageSamplerLaws } from "./imageSamplerLaws.js"
import { verify } from "./law.js"

verify("imageSamplerFunctions", imageSamplerLaws(imageSamplerFunctions))
