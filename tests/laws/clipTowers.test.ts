import { clipText, resNetParams, vit } from "@millrace/models"
import { clipTextLaws, resNetStartLaws, vitLaws } from "./clipTowerLaws.js"
import { verify } from "./law.js"

verify("vit", vitLaws(vit))
verify("clipText", clipTextLaws(clipText))
verify("resNet", resNetStartLaws(resNetParams))
