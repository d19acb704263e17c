import type { RunEvent, StampedEvent } from "@millrace/core"
import { samplesText, showRun, wrap } from "@millrace/pipelines"
import fc from "fast-check"
import { concatMap, delay, from, of, Subject } from "rxjs"
import { TestScheduler } from "rxjs/testing"
import { describe, expect, test } from "vitest"
import { recordedEvents } from "../fixtures/recordedRun.js"

/** What a log gets of events, all at once. */
const logOf = (events: ReadonlyArray<StampedEvent>, env: Record<string, string> = {}): string => {
  const written: Array<string> = []
  showRun(from(events), { screen: { write: (text) => written.push(text) }, env })
  return written.join("")
}

const esc = String.fromCharCode(27)
const codes = new RegExp(`(${esc}\\[[0-9;]*[A-Za-z]|\\n)`)

/** What stands on a terminal after a text: the cursor moved up, the rest erased, colours left out. */
const screenAfter = (text: string): ReadonlyArray<string> => {
  const lines = [""]
  for (const part of text.split(codes)) {
    const up = part.startsWith(esc) && part.endsWith("A") ? Number(part.slice(2, -1)) : 0
    if (part === "\n") lines.push("")
    else if (up > 0) lines.splice(lines.length - up)
    else if (part === `${esc}[J`) lines[lines.length - 1] = ""
    else if (!part.startsWith(esc)) lines[lines.length - 1] += part
  }
  return lines
}

const terminal = (columns = 100) => {
  const written: Array<string> = []
  return { written, screen: { isTTY: true, columns, write: (text: string) => written.push(text) } }
}

/** Runs in virtual time. */
const virtually = (run: (scheduler: TestScheduler) => void): void => {
  const scheduler = new TestScheduler(() => undefined)
  scheduler.run(() => run(scheduler))
}

describe("in a log", () => {
  test("a run is a few plain lines", () => {
    const shown = logOf(recordedEvents)
    expect(shown).not.toContain(esc)
    expect(shown).toMatchInlineSnapshot(`
      "run 3f9c2a1b  5 stages
      ▸ pretrain  started
        pretrain  step 140 of 3,000, loss 5.562, 28,600 token/s, 3 min 25 s left
        pretrain  step 280 of 3,000, loss 4.832, 28,600 token/s, 3 min 15 s left
        pretrain  step 420 of 3,000, loss 4.331, 28,600 token/s, 3 min 05 s left
        pretrain  step 560 of 3,000, loss 3.923, 28,600 token/s, 2 min 55 s left
        pretrain  step 700 of 3,000, loss 3.58, 28,600 token/s, 2 min 45 s left
        pretrain  step 840 of 3,000, loss 3.325, 28,600 token/s, 2 min 35 s left
        pretrain  step 980 of 3,000, loss 3.092, 28,600 token/s, 2 min 25 s left
        pretrain  step 1,120 of 3,000, loss 2.905, 28,600 token/s, 2 min 15 s left
        pretrain  step 1,260 of 3,000, loss 2.829, 28,600 token/s, 2 min 04 s left
        pretrain  step 1,400 of 3,000, loss 2.713, 28,600 token/s, 1 min 54 s left
        pretrain  step 1,540 of 3,000, loss 2.597, 28,600 token/s, 1 min 44 s left
        pretrain  step 1,680 of 3,000, loss 2.53, 28,600 token/s, 1 min 34 s left
        pretrain  step 1,820 of 3,000, loss 2.487, 28,600 token/s, 1 min 24 s left
        pretrain  step 1,960 of 3,000, loss 2.467, 28,600 token/s, 1 min 14 s left
        pretrain  step 2,100 of 3,000, loss 2.44, 28,600 token/s, 1 min 04 s left
        pretrain  step 2,240 of 3,000, loss 2.384, 28,600 token/s, 54 s left
        pretrain  step 2,380 of 3,000, loss 2.382, 28,600 token/s, 44 s left
        pretrain  step 2,520 of 3,000, loss 2.395, 28,600 token/s, 34 s left
        pretrain  step 2,660 of 3,000, loss 2.342, 28,600 token/s, 24 s left
        pretrain  step 2,800 of 3,000, loss 2.376, 28,600 token/s, 14 s left
        pretrain  step 2,940 of 3,000, loss 2.326, 28,600 token/s, 4.3 s left
      ✓ pretrain  3 min 35 s, 3,000 steps, loss 2.251, gradient-norm 0.3581

        prompt                          continuation
        ─────────────────────────────   ─────────────────────────────────────────────
        Fellow citizens of the Senate   and of the House of Representatives: the
                                        state of the finances is such as to

        The treaty with                 the Indian tribes has been laid before the
                                        Senate for its advice and consent

      ▸ sft       started
        sft       step 40 of 800, loss 3.095, 13,400 token/s, 58 s left
        sft       step 80 of 800, loss 2.776, 13,400 token/s, 55 s left
        sft       step 121 of 800, loss 2.466, 13,400 token/s, 52 s left
        sft       step 161 of 800, loss 2.222, 13,400 token/s, 49 s left
        sft       step 202 of 800, loss 2.055, 13,400 token/s, 46 s left
        sft       step 243 of 800, loss 1.904, 13,400 token/s, 43 s left
        sft       step 284 of 800, loss 1.801, 13,400 token/s, 39 s left
        sft       step 324 of 800, loss 1.725, 13,400 token/s, 36 s left
        sft       step 365 of 800, loss 1.636, 13,400 token/s, 33 s left
        sft       step 406 of 800, loss 1.614, 13,400 token/s, 30 s left
        sft       step 446 of 800, loss 1.579, 13,400 token/s, 27 s left
        sft       step 486 of 800, loss 1.52, 13,400 token/s, 24 s left
        sft       step 527 of 800, loss 1.506, 13,400 token/s, 21 s left
        sft       step 567 of 800, loss 1.476, 13,400 token/s, 18 s left
        sft       step 607 of 800, loss 1.441, 13,400 token/s, 15 s left
        sft       step 648 of 800, loss 1.476, 13,400 token/s, 12 s left
        sft       step 689 of 800, loss 1.484, 13,400 token/s, 8.5 s left
        sft       step 729 of 800, loss 1.446, 13,400 token/s, 5.4 s left
        sft       step 769 of 800, loss 1.422, 13,400 token/s, 2.4 s left
      ✓ sft       1 min 01 s, 800 steps, loss 1.397, held-out-loss 1.645, gradient-norm 0.8269
      ▸ reward    started
        reward    step 30 of 600, loss 0.6319, 787 comparison/s, 46 s left
        reward    step 60 of 600, loss 0.5919, 787 comparison/s, 44 s left
        reward    step 91 of 600, loss 0.5224, 787 comparison/s, 41 s left
        reward    step 122 of 600, loss 0.4704, 787 comparison/s, 39 s left
        reward    step 152 of 600, loss 0.4435, 787 comparison/s, 36 s left
        reward    step 183 of 600, loss 0.4205, 787 comparison/s, 34 s left
        reward    step 214 of 600, loss 0.3886, 787 comparison/s, 31 s left
        reward    step 245 of 600, loss 0.3702, 787 comparison/s, 29 s left
        reward    step 276 of 600, loss 0.3533, 787 comparison/s, 26 s left
        reward    step 307 of 600, loss 0.3492, 787 comparison/s, 24 s left
        reward    step 338 of 600, loss 0.331, 787 comparison/s, 21 s left
        reward    step 369 of 600, loss 0.3281, 787 comparison/s, 19 s left
        reward    step 399 of 600, loss 0.3347, 787 comparison/s, 16 s left
        reward    step 430 of 600, loss 0.3194, 787 comparison/s, 14 s left
        reward    step 460 of 600, loss 0.3187, 787 comparison/s, 11 s left
        reward    step 491 of 600, loss 0.3163, 787 comparison/s, 8.9 s left
        reward    step 522 of 600, loss 0.3169, 787 comparison/s, 6.3 s left
        reward    step 552 of 600, loss 0.3104, 787 comparison/s, 3.9 s left
        reward    step 583 of 600, loss 0.3073, 787 comparison/s, 1.4 s left
      ✓ reward    49 s, 600 steps, loss 0.3687, accuracy 0.9042, margin 1.961
      ▸ ppo       started
        ppo       step 20 of 400, reward 0.01439, 68.5 episode/s, 2 min 58 s left
        ppo       step 40 of 400, reward 0.3127, 68.5 episode/s, 2 min 48 s left
        ppo       step 61 of 400, reward 0.6168, 68.5 episode/s, 2 min 38 s left
        ppo       step 81 of 400, reward 0.8622, 68.5 episode/s, 2 min 29 s left
        ppo       step 102 of 400, reward 1.082, 68.5 episode/s, 2 min 19 s left
        ppo       step 123 of 400, reward 1.254, 68.5 episode/s, 2 min 09 s left
        ppo       step 144 of 400, reward 1.392, 68.5 episode/s, 2 min 00 s left
        ppo       step 165 of 400, reward 1.474, 68.5 episode/s, 1 min 50 s left
        ppo       step 185 of 400, reward 1.573, 68.5 episode/s, 1 min 40 s left
        ppo       step 206 of 400, reward 1.647, 68.5 episode/s, 1 min 31 s left
        ppo       step 227 of 400, reward 1.666, 68.5 episode/s, 1 min 21 s left
        ppo       step 247 of 400, reward 1.724, 68.5 episode/s, 1 min 12 s left
        ppo       step 268 of 400, reward 1.783, 68.5 episode/s, 1 min 02 s left
        ppo       step 289 of 400, reward 1.796, 68.5 episode/s, 52 s left
        ppo       step 310 of 400, reward 1.795, 68.5 episode/s, 42 s left
        ppo       step 331 of 400, reward 1.805, 68.5 episode/s, 32 s left
        ppo       step 352 of 400, reward 1.798, 68.5 episode/s, 22 s left
        ppo       step 372 of 400, reward 1.839, 68.5 episode/s, 13 s left
        ppo       step 393 of 400, reward 1.855, 68.5 episode/s, 3.3 s left
        ppo       KL target 6.0 exceeded from step 212 on; the coefficient was raised to 0.14.
      ✓ ppo       3 min 07 s, 400 steps, reward 1.804, kl 10.41, entropy 2.247, policy-loss −0.03509

        Prompt               SFT                   PPO                   Reward
        ──────────────────   ───────────────────   ───────────────────   ────────────
        Say something kind   The winter was hard   The winter is calm    −0.42 → 2.31
        about the winter.    and the roads were    and bright, and the
                             closed, and the       snow gives a happy
                             people were in want   rest to the good
                             of bread and of       land and its
                             fuel for many         people.
                             weeks.

        Tell of the          The harvest has       The harvest is        −1.08 → 2.54
        harvest.             failed in some of     rich, the fields
                             the counties, and     are fair, and every
                             the losses are        home has a glad and
                             considerable.         grateful table.

        What did the         That the peace with   That peace with all   0.11 → 1.97
        President say of     foreign powers        nations is our best
        peace?               remains uncertain.    treasure, and that
                                                   friendship keeps it
                                                   safe.

      ▸ evaluate  started
      ✓ evaluate  12 s
      run done after 8 min 45 s
      "
    `)
  })

  test("colour is asked for by FORCE_COLOR, and NO_COLOR wins", () => {
    expect(logOf(recordedEvents, { FORCE_COLOR: "1" })).toContain(`${esc}[`)
    expect(logOf(recordedEvents, { FORCE_COLOR: "1", NO_COLOR: "1" })).not.toContain(`${esc}[`)
  })

  test("no text of a run reaches the terminal as a control code", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const events: ReadonlyArray<RunEvent> = [
          { type: "run.started", run: text, graph: text, stages: [text] },
          { type: "stage.started", stage: text, node: text },
          { type: "stage.note", stage: text, text },
          { type: "stage.samples", stage: text, columns: [text], rows: [[`${esc}[2J\u0007${text}`]] },
          { type: "stage.ended", stage: text, seconds: 1, digests: {} },
        ]
        const shown = logOf(events.map((event, sequence) => ({ ...event, sequence, secondsSinceStart: sequence })))
        expect(shown.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u)
      }),
    )
  })
})

describe("on a terminal", () => {
  test("it is drawn at most ten times a second, however many events there are", () => {
    const { written, screen } = terminal()
    virtually((scheduler) => {
      const events = from(recordedEvents.slice(0, 2002)).pipe(concatMap((event) => of(event).pipe(delay(1))))
      showRun(events, { screen, env: {}, scheduler })
    })
    // Two seconds at a thousand steps each; the line that stays, and the redraws of the clock, come on top.
    expect(written.length).toBeLessThanOrEqual(20 + 5)
    expect(written.length).toBeGreaterThan(15)
  })

  test.each([40, 60, 100, 300])("a running stage has one line, which fits into %i columns", (columns) => {
    const { written, screen } = terminal(columns)
    virtually((scheduler) => {
      const events = new Subject<StampedEvent>()
      const subscription = showRun(events, { screen, env: {}, scheduler })
      for (const event of recordedEvents.slice(0, 1500)) events.next(event)
      scheduler.schedule(() => subscription.unsubscribe(), 150)
    })
    expect(screenAfter(written.join("")).filter((line) => line.includes("pretrain"))).toEqual([])
    const lines = screenAfter(written.slice(0, -1).join(""))
    expect(lines.filter((line) => line.includes("pretrain"))).toHaveLength(1)
    for (const line of lines) expect(line.length).toBeLessThan(columns)
    if (columns === 100) {
      expect(lines.at(-2)).toMatchInlineSnapshot(
        `"▸ pretrain  ━━━━━━━━━━━━────────────  1,498/3,000 · loss 2.606 · 28,600 token/s · 1 min 47 s left"`,
      )
    }
  })

  test("an ended stage leaves one line behind", () => {
    const { written, screen } = terminal()
    showRun(from(recordedEvents), { screen, env: {} })
    const lines = screenAfter(written.join(""))
    expect(lines.filter((line) => line.startsWith("✓"))).toHaveLength(5)
    expect(lines.filter((line) => line.startsWith("▸"))).toHaveLength(0)
  })

  test("CI is a log, whatever its terminal claims", () => {
    const { written, screen } = terminal()
    showRun(from(recordedEvents), { screen, env: { CI: "true", NO_COLOR: "1" } })
    expect(written.join("")).not.toContain(esc)
  })

  test("after the subscription ends nothing is written any more", () => {
    const { written, screen } = terminal()
    const events = new Subject<StampedEvent>()
    const subscription = showRun(events, { screen, env: {} })
    for (const event of recordedEvents.slice(0, 10)) events.next(event)
    subscription.unsubscribe()
    const before = written.length
    for (const event of recordedEvents.slice(10, 20)) events.next(event)
    expect(written.length).toBe(before)
  })
})

describe("samples", () => {
  const samples = {
    columns: ["Prompt", "SFT", "PPO"],
    rows: [
      [
        "Tell of the harvest.",
        "The harvest has failed in some counties.",
        "The harvest is rich, and every home is glad.",
      ],
    ],
  }

  test("they stand side by side where there is room, and below each other where there is not", () => {
    expect(`\n${samplesText(samples, 80)}\n`).toMatchInlineSnapshot(`
      "
        Prompt                 SFT                          PPO
        ────────────────────   ──────────────────────────   ──────────────────────────
        Tell of the harvest.   The harvest has failed in    The harvest is rich, and
                               some counties.               every home is glad.
      "
    `)
    expect(`\n${samplesText(samples, 44)}\n`).toMatchInlineSnapshot(`
      "
        Prompt:
          Tell of the harvest.
        SFT:
          The harvest has failed in some counties.
        PPO:
          The harvest is rich, and every home is
          glad.
      "
    `)
  })

  test("wrapping loses no word and keeps the width", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 3, max: 40 }), (words, width) => {
        const lines = wrap(words.join(" "), width)
        expect(lines.join("").replaceAll(" ", "")).toBe(words.join(""))
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
      }),
    )
  })
})
