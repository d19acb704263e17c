import { appendFile, cp, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type Files, registry, sha256 } from "@millrace/core"
import {
  type CheckedLaws,
  crateFiles,
  decodeZip,
  encodeZip,
  makeCrate,
  type OpenCrate,
  openCrate,
  type RunRecord,
  readRun,
} from "@millrace/core/crate"
import { Effect, Exit } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { options, recorded, types } from "./published.js"

let root = ""
let folder = ""
let record: RunRecord
let crate: Uint8Array
beforeAll(async () => {
  ;({ root, folder, record } = await recorded())
  crate = makeCrate(record, options)
})
afterAll(() => rm(root, { recursive: true }))

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)
const open = (bytes: Uint8Array, known = types): Promise<OpenCrate> => Effect.runPromise(openCrate(bytes, known))
const refusal = async (bytes: Uint8Array, known = types) => Effect.runPromise(Effect.flip(openCrate(bytes, known)))

interface Described {
  readonly "@graph": ReadonlyArray<Record<string, unknown>>
}

/** A crate with other files that claims nothing else: its metadata and manifest tell the new digests. */
const forged = (changes: Readonly<Record<string, string | Uint8Array | null>>): Uint8Array => {
  const files: Record<string, Uint8Array> = { ...crateFiles(record, options) }
  for (const [path, content] of Object.entries(changes)) {
    if (content === null) delete files[path]
    else files[path] = typeof content === "string" ? new TextEncoder().encode(content) : content
  }
  const metadata = JSON.parse(text(files["ro-crate-metadata.json"])) as Described
  for (const entity of metadata["@graph"]) {
    const bytes = files[decodeURIComponent(String(entity["@id"]))]
    if (bytes === undefined || entity.sha256 === undefined) continue
    entity.sha256 = sha256(bytes)
    entity.contentSize = String(bytes.length)
  }
  if (!Object.hasOwn(changes, "ro-crate-metadata.json"))
    files["ro-crate-metadata.json"] = new TextEncoder().encode(JSON.stringify(metadata))
  return encodeZip(withManifest(files))
}
const withManifest = ({ "manifest-sha256.txt": _, ...files }: Files): Files => {
  const lines = Object.keys(files)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((path) => `${sha256(files[path]!)}  ${path}\n`)
  return { ...files, "manifest-sha256.txt": new TextEncoder().encode(lines.join("")) }
}

test("one run gives one crate, to the byte, also when it is read from another folder at another time", async () => {
  const moved = join(root, "moved")
  await cp(folder, moved, { recursive: true })
  const again = await Effect.runPromise(readRun(record.id, moved, types))
  expect(Buffer.compare(makeCrate(again, options), crate)).toBe(0)
})

test("a crate holds the run, its program, cards, descriptions and report, and opens again as what was run", async () => {
  const opened = await open(crate)
  expect(Object.keys(opened.files)).toEqual([
    "ATTRIBUTION.md",
    "README.md",
    "SUMMARY.txt",
    "artifacts/inner.learn/average/README.md",
    "artifacts/inner.learn/average/config.json",
    "artifacts/inner.learn/average/model.safetensors",
    "artifacts/inner.learn/last/README.md",
    "artifacts/inner.learn/last/config.json",
    "artifacts/inner.learn/last/model.safetensors",
    "artifacts/judge/out/metrics.json",
    "artifacts/words/out/list.json",
    "data/words/out/croissant.json",
    "digests.json",
    "environment.json",
    "events.jsonl",
    "graph.json",
    "images/inner.learn/On the way%3A to it/000001.png",
    "manifest-sha256.txt",
    "metrics.json",
    "programs/inner.learn/step.onnx",
    "prov.json",
    "ro-crate-metadata.json",
    "ro-crate-preview.html",
  ])
  expect(opened.hash).toBe(record.hash)
  expect(opened.digests).toEqual(record.digests)
  expect(opened.metrics).toEqual([
    { stage: "judge", name: "first", value: 0.5 },
    { stage: "judge", name: "second value", value: 0.25 },
    { stage: "inner.learn", name: "last loss", value: 0.25 / 3 },
  ])
  expect(text(opened.files["programs/inner.learn/step.onnx"])).toContain(record.hash)
  expect(text(opened.files["ATTRIBUTION.md"])).toContain("A list by nobody, CC0")
  expect(text(opened.files["artifacts/inner.learn/last/README.md"])).toContain("| fit.rate | 0.25 |")
})

test("nothing in a crate tells where it was made", () => {
  const everything = Object.entries(crateFiles(record, options)).map(([path, bytes]) => path + text(bytes))
  expect(everything.filter((content) => content.includes(root))).toEqual([])
})

test("any byte of a crate that is changed is refused, and of a file's own bytes the file is named", async () => {
  const positions = Array.from({ length: 100 }, (_, i) => Math.floor((i * crate.length) / 100))
  for (const at of positions) {
    const changed = Uint8Array.from(crate)
    changed[at] = changed[at]! ^ 0x10
    const error = await refusal(changed)
    expect(error._tag).toBe("BadData")
    expect(error.where).not.toBe("")
  }
  const weights = "artifacts/inner.learn/last/model.safetensors"
  const changed = Uint8Array.from(crate)
  const place = Buffer.from(crate).indexOf(decodeZip(crate)[weights]!)
  changed[place + 20] = changed[place + 20]! ^ 1
  expect((await refusal(changed)).where).toBe(weights)
})

describe("a crate that was put together to deceive is refused:", () => {
  const graph = () => JSON.parse(text(record.files["graph.json"])) as { nodes: Array<Record<string, unknown>> }
  const header = (json: string): Uint8Array => {
    const bytes = new TextEncoder().encode(json)
    const whole = new Uint8Array(8 + bytes.length)
    new DataView(whole.buffer).setBigUint64(0, BigInt(bytes.length), true)
    whole.set(bytes, 8)
    return whole
  }
  const weights = "artifacts/inner.learn/last/model.safetensors"
  const long = new Uint8Array(64)
  new DataView(long.buffer).setBigUint64(0, 2n ** 62n, true)

  const cases: ReadonlyArray<readonly [string, () => Uint8Array, string, RegExp]> = [
    [
      "an artifact of other numbers",
      () => forged({ "artifacts/judge/out/metrics.json": '{"first":9}' }),
      "digests.json",
      /judge > out/,
    ],
    [
      "a missing artifact",
      () => forged({ "artifacts/judge/out/metrics.json": null }),
      "artifacts/judge/out/metrics.json",
      /none/,
    ],
    ["weights with a header of 2^62 bytes", () => forged({ [weights]: long }), weights, /4611686018427387904/],
    [
      "weights that name a prototype",
      () => forged({ [weights]: header('{"__proto__":{}}') }),
      `${weights} > header:1:2`,
      /__proto__/,
    ],
    [
      "weights that lie of their size",
      () => forged({ [weights]: header('{"w":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}') }),
      weights,
      /0 bytes/,
    ],
    [
      "a graph with a key __proto__",
      () => forged({ "graph.json": '{"__proto__":{"name":"x"}}' }),
      "graph.json:1:2",
      /__proto__/,
    ],
    ["a graph with a key twice", () => forged({ "graph.json": '{"name":"a","name":"b"}' }), "graph.json:1:13", /again/],
    [
      "a graph that is nested too deep",
      () => forged({ "graph.json": `${'{"a":'.repeat(500)}1${"}".repeat(500)}` }),
      "graph.json:1:321",
      /more/,
    ],
    ["a graph that is no JSON", () => forged({ "graph.json": "nodes" }), "graph.json:1:1", /nodes/],
    [
      "a graph that is no UTF-8",
      () => forged({ "graph.json": Uint8Array.of(0xff, 0xfe) }),
      "graph.json",
      /other bytes/,
    ],
    ["numbers without a tolerance", () => forged({ "metrics.json": "{}" }), "metrics.json", /form/],
    ["a file that nothing describes", () => forged({ "evil.sh": "rm" }), "evil.sh", /do not/],
    [
      "metadata of another profile",
      () => forged({ "ro-crate-metadata.json": '{"@graph":[]}' }),
      "ro-crate-metadata.json",
      /descriptor|conforms/,
    ],
    [
      "metadata with a prototype",
      () => forged({ "ro-crate-metadata.json": '{"@graph":[],"__proto__":1}' }),
      "ro-crate-metadata.json:1:14",
      /__proto__/,
    ],
  ]
  test.each(cases)("%s", async (_, make, where, says) => {
    const error = await refusal(make())
    expect(`${error.where}\n${error.received}`).toMatch(says)
    expect(error.where).toBe(where)
  })

  test.each(["run.started", "stage.started", "stage.step", "stage.images", "stage.ended", "stage.cached"])(
    "half an event of type %s",
    async (type) => {
      const line = JSON.stringify({ type, sequence: 0, secondsSinceStart: 0, stage: "judge" })
      const error = await refusal(forged({ "events.jsonl": `${line}\n` }))
      expect(error).toMatchObject({ _tag: "BadData", where: "events.jsonl" })
    },
  )

  test("digests of stages that no text can name", async () => {
    const error = await refusal(forged({ "digests.json": '{"\\ud800":{"out":"x"},"words":null}' }))
    expect(error).toMatchObject({ _tag: "BadData", where: "digests.json" })
  })

  test("a graph of node types that are not known here", async () => {
    const error = await refusal(crate, registry([]))
    expect(error).toMatchObject({ _tag: "UnknownNode" })
    const unknown = graph()
    unknown.nodes[0] = { ...unknown.nodes[0], node: "shell.exec@1" }
    expect(await refusal(forged({ "graph.json": JSON.stringify(unknown) }))).toMatchObject({
      _tag: "UnknownNode",
      received: '"shell.exec@1"',
    })
  })

  test("a graph of another config than the one that was run", async () => {
    const other = text(record.files["graph.json"]).replace('"a","b"', '"a","c"')
    expect(await refusal(forged({ "graph.json": other }))).toMatchObject({ _tag: "BadData", where: "graph.json" })
  })

  test("a manifest that names a file which is not there, or leaves one out", async () => {
    const files = decodeZip(crate)
    const lines = text(files["manifest-sha256.txt"])
    const more = encodeZip({ ...files, "manifest-sha256.txt": Buffer.from(`${lines}${"0".repeat(64)}  zzz\n`) })
    expect(await refusal(more)).toMatchObject({ where: "zzz" })
    const less = encodeZip({ ...files, "manifest-sha256.txt": Buffer.from(lines.split("\n").slice(1).join("\n")) })
    expect(await refusal(less)).toMatchObject({ where: "ATTRIBUTION.md" })
  })
})

describe("a run's folder is not published", () => {
  const damaged = async (name: string, damage: (folder: string) => Promise<void>) => {
    const copy = join(root, name)
    await cp(folder, copy, { recursive: true })
    await damage(copy)
    return Effect.runPromise(Effect.flip(readRun(record.id, copy, types)))
  }

  test("while the run goes on, or when it was killed", async () => {
    const error = await damaged("going", async (copy) => {
      const path = join(copy, "events.jsonl")
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n")
      await writeFile(path, `${lines.slice(0, -1).join("\n")}\n`)
    })
    expect(error).toMatchObject({ _tag: "BadData", received: "a run that has not ended" })
  })

  test("when an artifact was changed, removed or added to", async () => {
    const path = ["artifacts", "judge", "out", "metrics.json"] as const
    for (const [name, damage] of [
      ["changed", (copy: string) => appendFile(join(copy, ...path), " ")],
      ["removed", (copy: string) => rm(join(copy, ...path))],
      ["added", (copy: string) => writeFile(join(copy, "artifacts", "judge", "out", "more.json"), "{}")],
    ] as const) {
      expect(await damaged(name, damage)).toMatchObject({
        _tag: "BadData",
        received: expect.stringContaining("judge > out"),
      })
    }
  })

  test("when its graph is another one than was run", async () => {
    const error = await damaged("other", async (copy) => {
      const path = join(copy, "graph.json")
      await writeFile(path, (await readFile(path, "utf8")).replace('"a","b"', '"a","c"'))
    })
    expect(error).toMatchObject({ _tag: "BadData", received: "an environment of another graph" })
  })
})

test("limits are those of the archive: a smaller one is refused before it is read", async () => {
  const exit = await Effect.runPromiseExit(openCrate(crate, types, { entries: 3, total: 2 ** 20, ratio: 200 }))
  expect(Exit.isFailure(exit)).toBe(true)
})

test("the provenance tells for every artifact which stage made it, and from which artifacts", () => {
  const read = JSON.parse(text(crateFiles(record, options)["prov.json"])) as Record<
    string,
    Record<string, Record<string, string>>
  >
  const pairs = (relation: string, from: string, to: string) =>
    Object.values(read[relation]!).map((one) => `${one[from]} ${one[to]}`)
  expect(pairs("wasGeneratedBy", "prov:entity", "prov:activity")).toEqual([
    "run:artifact-words-out run:stage-words",
    "run:artifact-inner.learn-last run:stage-inner.learn",
    "run:artifact-inner.learn-average run:stage-inner.learn",
    "run:artifact-judge-out run:stage-judge",
  ])
  expect(pairs("used", "prov:activity", "prov:entity")).toEqual([
    "run:stage-inner.learn run:artifact-words-out",
    "run:stage-judge run:artifact-inner.learn-average",
  ])
  expect(pairs("wasInformedBy", "prov:informed", "prov:informant")).toEqual([
    "run:stage-inner.learn run:stage-words",
    "run:stage-judge run:stage-inner.learn",
  ])
  expect(read.entity?.["run:artifact-judge-out"]?.["millrace:sha256"]).toBe(record.digests.judge?.out)
})

describe("the laws of a crate", () => {
  const law = { node: "crate.loss@1", of: "own", seed: 7, runs: 10 } as const
  const laws = (): CheckedLaws => ({
    graph: "experiment",
    hash: record.hash,
    seed: 7,
    runs: 10,
    laws: [
      {
        ...law,
        places: ["inner.learn.step.loss"],
        law: "it is never negative",
        verdict: "holds",
        counterexample: null,
      },
      {
        ...law,
        places: ["inner.learn.step.loss"],
        law: "a <b>shift</b> changes nothing",
        verdict: "broken",
        counterexample: { example: "[1]", reason: "2 is not 3", shrinks: 1 },
      },
    ],
  })
  const withLaws = (change: Partial<CheckedLaws> = {}) => ({ ...options, laws: { ...laws(), ...change } })

  test("come back as they were checked; one that is broken stands on its pages, with its counterexample", async () => {
    const opened = await open(makeCrate(record, withLaws()))
    expect(opened.laws).toEqual(laws())
    const readme = text(opened.files["README.md"])
    expect(readme).toContain("1 BROKEN, 1 hold; up to 10 examples of each, from seed 7")
    expect(readme).toContain("inner.learn.step.loss (crate.loss@1): a \\<b\\>shift\\</b\\> changes nothing")
    const report = text(opened.files["ro-crate-preview.html"])
    expect(report).toContain("2 is not 3")
    expect(report).toContain("a &lt;b&gt;shift&lt;/b&gt; changes nothing")
    expect((await open(crate)).laws).toBe(null)
    expect(text((await open(crate)).files["README.md"])).toContain("laws of the nodes were not checked")
  })

  test("are refused where they are of another graph, have another form, or a verdict without its counterexample", async () => {
    const silent = laws().laws.map((one) => ({ ...one, counterexample: null }))
    for (const changed of [{ hash: "0".repeat(64) }, { laws: silent }, { seed: 0.5 }]) {
      expect(await refusal(makeCrate(record, withLaws(changed)))).toMatchObject({ _tag: "BadData", where: "laws.json" })
    }
  })
})

test("data that are published stand in the crate, in their description and under their licence; else it says that they do not", async () => {
  const [data] = options.dataSets!
  const bytes = new TextEncoder().encode("a b")
  const opened = await open(
    makeCrate(record, { ...options, dataSets: [{ ...data!, files: { "sub/a b.txt": bytes } }] }),
  )
  expect(text(opened.files["data/words/out/files/sub/a b.txt"])).toBe("a b")
  const described = JSON.parse(text(opened.files["data/words/out/croissant.json"]))
  expect(described.distribution[1]).toMatchObject({ contentUrl: "files/sub/a%20b.txt", sha256: sha256(bytes) })
  expect(text(opened.files["README.md"])).not.toContain("not here")
  const metadata = JSON.parse(text(opened.files["ro-crate-metadata.json"])) as Described
  expect(metadata["@graph"].find((entity) => entity["@id"] === "data/words/out/")).toMatchObject({
    license: { "@id": "https://spdx.org/licenses/CC0-1.0" },
    hasPart: [{ "@id": "data/words/out/croissant.json" }, { "@id": "data/words/out/files/sub/a%20b.txt" }],
  })
  const { files } = await open(crate)
  expect(text(files["README.md"])).toContain("the data themselves are not here")
  expect(text(files["data/words/out/croissant.json"])).toContain("the data are not in the crate")
})
