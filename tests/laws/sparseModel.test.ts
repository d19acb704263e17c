import { sparseLogits } from "@millrace/models"
import { verify } from "./law.js"
import { sparseModelLaws } from "./sparseModelLaws.js"

verify("sparseLogits", sparseModelLaws(sparseLogits))
