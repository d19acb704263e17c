import { classProbabilities, ensemble } from "@millrace/models"
import { classifyLaws, ensembleLaws } from "@millrace/models/laws"
import { verify } from "./law.js"

verify("ensemble", ensembleLaws(ensemble))
verify("classProbabilities", classifyLaws(classProbabilities))
