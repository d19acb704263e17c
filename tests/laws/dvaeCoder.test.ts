import { dvaeCoderLaws } from "./dvaeCoderLaws.js"
import { verify } from "./law.js"
import { coder } from "./mutants/dvaeCoder.js"

verify("dvaeEncode and dvaeDecode", dvaeCoderLaws(coder))
