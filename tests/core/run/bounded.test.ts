import { BadData, demand, drain, settle, spread, stages } from "@millrace/core"
import { Deferred, Effect, Fiber } from "effect"
import fc from "fast-check"
import { concatMap, delay, map, of } from "rxjs"
import { TestScheduler } from "rxjs/testing"
import { expect, test } from "vitest"

/** Numbers from 0, counting how many were pulled and whether the source was closed. */
const counting = (end = Number.POSITIVE_INFINITY) => {
  const count = { pulled: 0, closed: 0 }
  const source = {
    *[Symbol.iterator]() {
      try {
        while (count.pulled < end) yield count.pulled++
      } finally {
        count.closed++
      }
    },
  }
  return { count, source }
}

test("an endless source is pulled only as far ahead as its consumer allows", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.boolean(), { maxLength: 40 }), (ahead, settles) => {
      const { count, source } = counting()
      const open: Array<() => void> = []
      const subscription = demand(source, ahead).subscribe(({ settle }) => open.push(settle))
      let settled = 0
      for (const first of settles) {
        const give = first ? open.shift() : open.pop()
        give?.()
        give?.() // a credit given back twice counts once
        settled++
        expect(count.pulled).toBe(settled + ahead)
      }
      subscription.unsubscribe()
      expect(count.closed).toBe(1)
    }),
  )
})

test("a slow consumer sees every value in order, and the source waits for it", () => {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(({ expectObservable }) => {
    const flow = demand("abc", 1).pipe(
      concatMap((ticket) => of(ticket).pipe(delay(3))),
      settle(),
    )
    expectObservable(flow).toBe("---a--b--(c|)")
  })
})

test("a million values that settle at once neither overflow the stack nor are held", async () => {
  let sum = 0
  await Effect.runPromise(
    drain(demand(counting(1_000_000).source, 1).pipe(settle()), (value) => {
      sum += value
    }),
  )
  expect(sum).toBe((1_000_000 * 999_999) / 2)
})

test("results keep the order of their values, and no more run at once than allowed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      async (turns, ahead, concurrency) => {
        let running = 0
        let most = 0
        const out: Array<number> = []
        await Effect.runPromise(
          Effect.gen(function* () {
            const stage = yield* stages()
            const work = stage(
              "work",
              ([place, waits]: readonly [number, number]) =>
                Effect.gen(function* () {
                  most = Math.max(most, ++running)
                  for (let i = 0; i < waits; i++) yield* Effect.yieldNow
                  running--
                  return place
                }),
              concurrency,
            )
            yield* drain(demand(turns.entries(), ahead).pipe(work, settle()), (place) => void out.push(place))
          }).pipe(Effect.scoped),
        )
        expect(out).toEqual(turns.map((_, i) => i))
        expect(most).toBeLessThanOrEqual(Math.min(ahead, concurrency))
      },
    ),
    { numRuns: 40 },
  )
})

test("one rollout becomes many minibatches, of which one is on its way at a time", async () => {
  const { count, source } = counting(6)
  const parts = { made: 0, settled: 0, most: 0 }
  const seen: Array<string> = []
  await Effect.runPromise(
    Effect.gen(function* () {
      const stage = yield* stages()
      yield* drain(
        demand(source, 2).pipe(
          stage("rollout", (n: number) => Promise.resolve(n)),
          spread(function* (n: number) {
            for (const part of ["x", "y", "z"]) {
              parts.most = Math.max(parts.most, ++parts.made - parts.settled)
              yield `${n}${part}`
            }
          }),
          stage("update", (part: string) => Effect.as(Effect.yieldNow, part)),
          settle(),
        ),
        (part) => {
          parts.settled++
          seen.push(part)
          expect(count.pulled).toBeLessThanOrEqual(Number(part[0]) + 2)
        },
      )
    }).pipe(Effect.scoped),
  )
  expect(seen).toEqual(Array.from({ length: 6 }, (_, n) => ["x", "y", "z"].map((part) => `${n}${part}`)).flat())
  expect(parts.most).toBe(1)
})

test("the first failure ends the dataflow, closes the source, and keeps its own tag", async () => {
  const { count, source } = counting()
  const error = new BadData({ where: "rewards", expected: "numbers", received: "NaN", fix: "look at the prompts" })
  const run = (failWith: unknown) =>
    Effect.gen(function* () {
      const stage = yield* stages()
      const work = stage("score", (n: number) => (n === 3 ? Effect.fail(failWith) : Effect.succeed(n)))
      yield* drain(demand(source, 1).pipe(work, settle()))
    }).pipe(Effect.scoped, Effect.flip, Effect.runPromise)
  expect(await run(error)).toBe(error)
  expect(count).toEqual({ pulled: 4, closed: 1 })
  count.pulled = 0
  expect(await run(new Error("odd"))).toMatchObject({ _tag: "NodeFailed", where: "score", received: "odd" })
})

test("a source that throws fails the dataflow", async () => {
  const broken = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("the disk is gone")) }),
  }
  const failure = await Effect.runPromise(drain(demand(broken, 1).pipe(settle())).pipe(Effect.flip))
  expect(failure).toMatchObject({ _tag: "NodeFailed", received: "the disk is gone" })
})

test("interruption stops the stage that runs and waits for its finalizer", async () => {
  const steps: Array<string> = []
  const { count, source } = counting()
  await Effect.runPromise(
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const flow = Effect.gen(function* () {
        yield* Effect.addFinalizer(() => Effect.sync(() => steps.push("engine state freed")))
        const stage = yield* stages()
        const endless = stage("endless", () =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.yieldNow.pipe(Effect.map(() => steps.push("stage ended")))),
          ),
        )
        yield* drain(demand(source, 1).pipe(endless, settle()))
      }).pipe(Effect.scoped)
      const fiber = yield* Effect.forkChild(flow)
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
    }),
  )
  expect(steps).toEqual(["stage ended", "engine state freed"])
  expect(count).toEqual({ pulled: 1, closed: 1 })
})

test("a demand of nothing ahead is refused", () => {
  expect(() => demand([1], 0)).toThrow(/whole number from 1/)
  expect(() => demand([1], Number.NaN).pipe(map(String))).toThrow(/received\s+NaN/)
})
