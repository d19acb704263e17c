/** How commands name a run. */
import { Argument } from "effect/cli"

export const howNamed = "its name in the folder of all runs, the beginning of one, `latest`, or the path of its folder"

export const theRun = Argument.String("run").pipe(Argument.withDescription(`A run: ${howNamed}`))
