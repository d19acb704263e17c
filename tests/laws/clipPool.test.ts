import { attentionPool, halve } from "@millrace/models"
import { attentionPoolLaws, halveLaws } from "./clipPoolLaws.js"
import { verify } from "./law.js"
import { pool } from "./mutants/clipPool.js"

verify("attentionPool", attentionPoolLaws(attentionPool))
verify("halve", halveLaws(halve))
verify("the pool that the wrong ones vary", attentionPoolLaws(pool({})))
