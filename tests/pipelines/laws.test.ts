/** `millrace laws`, on a graph with a loss of a user's own. */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { here } from "./here.js"

const graphs = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs")
const losses = join(graphs, "losses.js")

const laws = (...args: ReadonlyArray<string>) => here(["laws", losses, ...args])
const brokenIn = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { code, out } = await laws("--json", ...args)
  const told = JSON.parse(out) as { laws: ReadonlyArray<{ law: string; verdict: string }> }
  const broken = told.laws.filter(({ verdict }) => verdict === "broken").map(({ law }) => law)
  expect(code).toBe(broken.length === 0 ? 0 : 1)
  return broken
}

describe("millrace laws", () => {
  test("a right loss holds every law, in a table node × law × verdict, nested graphs included", async () => {
    const { code, out, err } = await laws()
    expect([code, err]).toEqual([0, ""])
    expect(out).toMatch(/^Laws of losses\n +node +type +verdict +examples +law\n/)
    expect(out).toMatch(/scaled\.twice +own\.doubled@1 +✓ holds +30 +the same inputs give the same bits/)
    expect(out).toMatch(/✓ holds +30 +adding a constant to rewards along k changes nothing/)
    expect(out).not.toContain("untried")
  })

  test("a wrong loss ends with 1 and tells the law, the smallest counterexample, and a command that replays it", async () => {
    const wrong = ["--set", "loss.mistake=mask", "--runs", "20"]
    const { code, out, err } = await laws(...wrong, "--seed", "5")
    expect(code).toBe(1)
    expect(out).toMatch(
      /✗ BROKEN +\d+ +what mask hides of rewards, preference changes no bit of a result or a gradient/,
    )
    expect(err).toContain("LawBroken in losses")
    expect(err).toContain("loss (own.pairwise@1): what mask hides of rewards, preference")
    expect(err).toMatch(/at .*b=1 {2}k=2 {2}rewards \[\[.*\]\] {2}preference \[\[.*\]\] {2}mask \[\[/)
    const replay = /millrace laws (.*)$/m.exec(err)![1]!.split(" ")
    expect(replay).toContain("--node")
    const again = await here(["laws", ...replay])
    expect(again.code).toBe(1)
    expect(again.err).toBe(err.replace(/\d+ laws of 2 nodes/, again.err.match(/\d+ laws of 1 node/)![0]))
  })

  test("a flipped sign breaks laws of ranking, and not those of shifts and masks", async () => {
    const broken = await brokenIn("--set", "loss.mistake=sign")
    expect(broken).toContain("raising the best answer never raises the loss")
    expect(broken).toContain("L(r) − L(−r) is minus the mean difference of the pairs")
    expect(broken).not.toContain("adding a constant to rewards along k changes nothing")
    expect(broken).not.toContain("what mask hides of rewards, preference changes no bit of a result or a gradient")
  })

  test("a tensor that is kept, a range that is not that of the unit, and randomness break the laws of every node", async () => {
    expect(await brokenIn("--set", "loss.mistake=leak")).toEqual(["no input is changed, and no tensor is left behind"])
    expect(await brokenIn("--set", "loss.mistake=range", "--runs", "100")).toEqual(["outputs are what their ports say"])
    const noisy = await brokenIn("--set", "scaled.twice.noise=true", "--node", "twice")
    expect(noisy).toContain("the same inputs give the same bits")
  })

  test("--json has every law with its verdict, and a counterexample where it is broken", async () => {
    const { out } = await laws("--json", "--set", "loss.mistake=sign", "--node", "loss", "--seed", "3", "--runs", "10")
    const told = JSON.parse(out)
    expect(told).toMatchObject({ graph: "losses", seed: 3, runs: 10 })
    for (const { verdict, counterexample, node, places } of told.laws) {
      expect([node, places]).toEqual(["own.pairwise@1", ["loss"]])
      expect(counterexample !== null).toBe(verdict === "broken")
    }
    expect(told.replay).toBe(`millrace laws ${losses} --seed 3 --runs 10 --node loss --set loss.mistake=sign`)
  })

  test("a node that is not there is a mistake of usage, with a guess", async () => {
    const { code, err } = await laws("--node", "los")
    expect([code, err]).toEqual([2, expect.stringContaining("loss")])
  })

  test("a graph of stages without objectives says that it has nothing to try", async () => {
    const { code, err } = await here(["laws", join(graphs, "counting.js")])
    expect(code).toBe(2)
    expect(err).toContain("a graph with tensor nodes, or stages that tell which they run")
  })

  test("of a graph of stages the nodes of its objectives are tried", async () => {
    const { code, out } = await here([
      "laws",
      "instructgpt",
      "--runs",
      "2",
      "--node",
      "ppo.update.loss",
      "--node",
      "gae",
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/ppo\.update\.loss +loss\.ptx@1/)
    expect(out).toMatch(/ppo\.experience\.gae +gae\.advantages@1/)
  })
})
