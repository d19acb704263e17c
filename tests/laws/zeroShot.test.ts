import { classProbabilities, ensemble } from "@millrace/models"
import { verify } from "./law.js"
import { classifyLaws, ensembleLaws } from "./zeroShotLaws.js"

verify("ensemble", ensembleLaws(ensemble))
verify("classProbabilities", classifyLaws(classProbabilities))
