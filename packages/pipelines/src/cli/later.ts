import { Effect } from "effect"
import type { Ended } from "./exit.js"

/** What a command does with what it is given. */
export type Handler<A> = (given: A) => Effect.Effect<void, Ended>

/** A handler that is loaded when it is called: the command line is read, and helped with, without what carries it out. */
export const later =
  <A>(load: () => Promise<Handler<A>>): Handler<A> =>
  (given) =>
    Effect.flatMap(Effect.promise(load), (handler) => handler(given))
