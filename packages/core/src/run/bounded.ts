/**
 * Dataflow with bounded demand, for stages such as PPO that are pipelines inside:
 *
 *   const stage = yield* stages<Engine>()
 *   yield* drain(
 *     demand(batches, 2).pipe(                       // at most two batches anywhere below
 *       stage("rollout", rollout),
 *       spread((rollouts) => epochsOf(rollouts)),    // one rollout -> many minibatches, one at a time
 *       stage("update", update),
 *       settle(),
 *     ),
 *   )
 *
 * RxJS pushes: nothing in it tells a source that its consumer is behind. Here every value travels with a credit that it
 * gives back when the last operator has finished with it, and the source is pulled only while it has credits left.
 */
import { Cause, Effect, Exit, FiberSet, type Scope } from "effect"
import { concatMap, defer, map, mergeMap, Observable, type OperatorFunction } from "rxjs"
import { type Failure, isFailure, messageOf, NodeFailed } from "../errors.js"
import { demand, type Ticket } from "./demand.js"

/** The end of a dataflow: hands the value on and, when that returns, gives its credit back. */
export const settle =
  <T>(): OperatorFunction<Ticket<T>, T> =>
  (source) =>
    new Observable((listener) =>
      source.subscribe({
        next: ({ value, settle }) => {
          listener.next(value)
          settle()
        },
        error: (error) => listener.error(error),
        complete: () => listener.complete(),
      }),
    )

/** One value becomes many, of which at most `ahead` are on their way at a time; its credit returns after the last. */
export const spread = <A, B>(
  parts: (value: A) => Iterable<B> | AsyncIterable<B>,
  ahead = 1,
): OperatorFunction<Ticket<A>, Ticket<B>> =>
  concatMap(
    (ticket) =>
      new Observable<Ticket<B>>((listener) =>
        defer(() => demand(parts(ticket.value), ahead)).subscribe({
          next: (part) => listener.next(part),
          error: (error) => listener.error(error),
          complete: () => {
            listener.complete()
            ticket.settle()
          },
        }),
      ),
  )

/** Lets results out in the order of their tickets. What waits here is unsettled, so `demand` bounds it. */
const inOrder =
  <T>(): OperatorFunction<readonly [number, T], T> =>
  (source) =>
    new Observable((listener) => {
      const waiting = new Map<number, T>()
      let next = 0
      return source.subscribe({
        next: ([place, value]) => {
          waiting.set(place, value)
          for (let ready = waiting.get(next); waiting.has(next) && ready !== undefined; ready = waiting.get(next)) {
            waiting.delete(next++)
            listener.next(ready)
          }
        },
        error: (error) => listener.error(error),
        complete: () => listener.complete(),
      })
    })

/** Runs an effect on every value, at most `concurrency` at a time (1 by default); results keep the order of the values. */
export type StageOperator<R> = <A, B, E>(
  name: string,
  run: (value: A) => Effect.Effect<B, E, R> | Promise<B>,
  concurrency?: number,
) => OperatorFunction<Ticket<A>, Ticket<B>>

const named = (name: string, error: unknown): Failure & { readonly _tag: string } =>
  isFailure(error)
    ? error
    : new NodeFailed({
        where: name,
        expected: "a result",
        received: messageOf(error),
        fix: "mend what the message names",
        cause: error,
      })

/**
 * The operator that runs effects inside a dataflow. Its effects belong to the present scope: when the scope closes they
 * are interrupted and waited for, before anything that was made earlier in the scope is freed.
 */
export const stages = <R = never>(): Effect.Effect<StageOperator<R>, never, R | Scope.Scope> =>
  Effect.map(
    FiberSet.makeRuntime<R, unknown, unknown>(),
    (fork): StageOperator<R> =>
      (name, run, concurrency = 1) => {
        const once = <A, B, E>(value: A, effect: (value: A) => Effect.Effect<B, E, R> | Promise<B>): Observable<B> =>
          new Observable((listener) => {
            const evaluate = Effect.suspend((): Effect.Effect<B, unknown, R> => {
              const given = effect(value)
              return given instanceof Promise ? Effect.tryPromise({ try: () => given, catch: (error) => error }) : given
            })
            const fiber = fork(evaluate)
            fiber.addObserver((exit) => {
              if (Exit.isSuccess(exit)) {
                listener.next(exit.value)
                listener.complete()
              } else listener.error(named(name, Cause.squash(exit.cause)))
            })
            return () => fiber.interruptUnsafe()
          })
        return (source) =>
          source.pipe(
            mergeMap(
              (ticket, place) =>
                once(ticket.value, run).pipe(map((value) => [place, { value, settle: ticket.settle }] as const)),
              concurrency,
            ),
            inOrder(),
          )
      },
  )

/**
 * Runs a dataflow to its end. Interruption unsubscribes, which stops the source and interrupts the stages.
 * @param each  called with every value that comes out, before its credit returns if `settle` is the last operator
 * @fails  the first failure of the source or of a stage; what is not one of the framework's own becomes NodeFailed
 */
export const drain = <T>(
  flow: Observable<T>,
  each: (value: T) => void = () => undefined,
): Effect.Effect<void, Failure & { readonly _tag: string }> =>
  Effect.callback((resume) => {
    const subscription = flow.pipe(map(each)).subscribe({
      error: (error) => resume(Effect.fail(named("dataflow", error))),
      complete: () => resume(Effect.void),
    })
    return Effect.sync(() => subscription.unsubscribe())
  })
