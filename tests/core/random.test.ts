import { type Key, keyFromSeed, random, split } from "@millrace/core"
import fc from "fast-check"
import { expect, test } from "vitest"

const key = keyFromSeed("random.test")
const keys = fc.record({ hi: fc.nat(0xffff_ffff), lo: fc.nat(0xffff_ffff) })
const hex = (words: ReadonlyArray<number>) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ")

/** Pearson's χ² against equal probabilities, in standard deviations of its own distribution. */
const surprise = (counts: ArrayLike<number>, expected?: ReadonlyArray<number>): number => {
  const all = Array.from(counts)
  const n = all.reduce((a, b) => a + b, 0)
  const p = expected ?? all.map(() => 1 / all.length)
  const chi2 = all.reduce((sum, count, i) => sum + (count - n * p[i]!) ** 2 / (n * p[i]!), 0)
  const degrees = all.length - 1
  return Math.abs(chi2 - degrees) / Math.sqrt(2 * degrees)
}

/** The Kolmogorov-Smirnov distance times √n: above 1.95 has probability 0.001. */
const distance = (sample: Float32Array, cdf: (x: number) => number): number => {
  const sorted = sample.slice().sort()
  let d = 0
  sorted.forEach((x, i) => {
    const p = cdf(x)
    d = Math.max(d, p - i / sorted.length, (i + 1) / sorted.length - p)
  })
  return d * Math.sqrt(sorted.length)
}

const correlation = (a: Float32Array, b: Float32Array): number => {
  const mean = (x: Float32Array) => x.reduce((sum, v) => sum + v, 0) / x.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((x, i) => {
    ab += (x - ma) * (b[i]! - mb)
    aa += (x - ma) ** 2
    bb += (b[i]! - mb) ** 2
  })
  return ab / Math.sqrt(aa * bb)
}

// A second implementation, as the paper writes it (Salmon et al. 2011, 3.3): rounds in a loop, words as bigints.
const threefry = (k: Key, high: number, low: number): [number, number] => {
  const mask = 0xffff_ffffn
  const ks = [BigInt(k.hi), BigInt(k.lo), BigInt(k.hi) ^ BigInt(k.lo) ^ 0x1bd11bdan]
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n]
  let x0 = (BigInt(high) + ks[0]!) & mask
  let x1 = (BigInt(low) + ks[1]!) & mask
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!
    x0 = (x0 + x1) & mask
    x1 = (((x1 << r) | (x1 >> (32n - r))) & mask) ^ x0
    if (round % 4 === 3) {
      const s = (round + 1) / 4
      x0 = (x0 + ks[s % 3]!) & mask
      x1 = (x1 + ks[(s + 1) % 3]! + BigInt(s)) & mask
    }
  }
  return [Number(x0), Number(x1)]
}

// Vectors "threefry2x32 20" of Random123 (D. E. Shaw Research), tests/kat_vectors: counter, key, result.
test.each([
  [0, 0, 0, 0, "6b200159 99ba4efe"],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, "1cb996fc bb002be7"],
  [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, "c4923a9c 483df7a0"],
])("the reference of this file meets the published vector %s %s %s %s", (high, low, hi, lo, expected) => {
  expect(hex(threefry({ hi, lo }, high, low))).toBe(expected)
})

test("a draw equals the reference for every key and counter, and the published vector of zeros", () => {
  expect(hex(random.draw({ hi: 0, lo: 0 }, 0))).toBe("6b200159 99ba4efe")
  fc.assert(
    fc.property(keys, fc.maxSafeNat(), (k, counter) => {
      expect(random.draw(k, counter)).toEqual(threefry(k, Math.floor(counter / 2 ** 32), counter % 2 ** 32))
    }),
  )
})

test("split by number and uniform read the blocks that the file's header promises", () => {
  fc.assert(
    fc.property(keys, fc.nat(0xffff_ffff), fc.nat(50), (k, name, i) => {
      const [hi, lo] = threefry(k, 0xc000_0000, name)
      expect(split(k, name)).toEqual({ hi, lo })
      const word = threefry(k, 0, i >> 1)[i & 1]!
      expect(random.uniform(k, [i + 1]).data[i]).toBe(Math.floor(word / 256) / 2 ** 24)
    }),
  )
})

test("the streams of a fixed key never change from version to version", () => {
  const pinned = keyFromSeed(2023)
  expect({
    seed: [pinned, keyFromSeed("2023"), keyFromSeed(-1)],
    split: [split(pinned, "model"), split(pinned, 7), split(pinned, "7")],
    uniform: hex(Array.from(new Uint32Array(random.uniform(pinned, [4]).data.buffer))),
    normal: hex(Array.from(new Uint32Array(random.normal(pinned, [4]).data.buffer))),
    gumbel: hex(Array.from(new Uint32Array(random.gumbel(pinned, [4]).data.buffer))),
    integers: Array.from(random.integers(pinned, [6], -3, 50257).data).join(" "),
    bernoulli: Array.from(random.bernoulli(pinned, [12], 0.3).data).join(" "),
    permutation: random.permutation(pinned, 10).join(" "),
    choose: random.choose(pinned, 1000, 5).join(" "),
  }).toMatchInlineSnapshot(`
    {
      "bernoulli": "0 1 0 1 0 0 0 0 0 0 0 0",
      "choose": "228 601 414 45 446",
      "gumbel": "3ed27aae bfae7d96 3ec43b56 bf126a4e",
      "integers": "24345 38687 17273 10371 41839 17483",
      "normal": "3d1d8cfd c0035a33 3c6dd432 bf74387a",
      "permutation": "8 7 6 3 0 2 4 9 5 1",
      "seed": [
        {
          "hi": 0,
          "lo": 2023,
        },
        {
          "hi": 3549999773,
          "lo": 1035712959,
        },
        {
          "hi": 4294967295,
          "lo": 4294967295,
        },
      ],
      "split": [
        {
          "hi": 61552902,
          "lo": 1549794515,
        },
        {
          "hi": 1105855782,
          "lo": 2052605588,
        },
        {
          "hi": 1228366325,
          "lo": 984065903,
        },
      ],
      "uniform": "3f03ed69 3ca46220 3f017b81 3e2e2050",
    }
  `)
})

test("integers, bigints and 64-bit residues are one seed; a text is another", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (seed) => {
      expect(keyFromSeed(seed)).toEqual(keyFromSeed(BigInt(seed)))
      expect(keyFromSeed(BigInt(seed) + (1n << 64n))).toEqual(keyFromSeed(seed))
      expect(keyFromSeed(String(seed))).not.toEqual(keyFromSeed(seed))
    }),
  )
  expect(() => keyFromSeed(0.5)).toThrow("BadConfig in seed")
  expect(() => split(key, -1)).toThrow("BadConfig in split")
})

test("uniform is uniform and lies in [0, 1)", () => {
  const { data } = random.uniform(split(key, "uniform"), [200, 500])
  const counts = new Uint32Array(100)
  for (const x of data) counts[Math.floor(x * 100)]!++
  expect(counts.reduce((a, b) => a + b)).toBe(100_000)
  expect(surprise(counts)).toBeLessThan(4)
  expect(distance(data, (x) => x)).toBeLessThan(1.95)
})

test("the low bits of uniform are as random as the high ones", () => {
  const counts = new Uint32Array(256)
  for (const x of random.uniform(split(key, "low bits"), [100_000]).data) counts[(x * 2 ** 24) % 256]!++
  expect(surprise(counts)).toBeLessThan(4)
})

test("normal has the normal distribution", () => {
  const { data } = random.normal(split(key, "normal"), [20_000])
  // Simpson's rule over the density: independent of the quantile that makes the sample.
  const cdf = (x: number) => {
    const n = 64
    const h = x / n
    let sum = 0
    for (let i = 0; i <= n; i++) sum += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2) / 2)
    return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI)
  }
  expect(distance(data, cdf)).toBeLessThan(1.95)
})

test.each([
  [0.5, 0],
  [0.9, 1.2815515655446004],
  [0.975, 1.959963984540054],
  [0.999, 3.090232306167813],
  [1e-9, -5.997807015007686],
])("the normal quantile of %d is %d", (p, z) => {
  expect(random.normalQuantile(p)).toBeCloseTo(z, 13)
})

test("gumbel has the distribution exp(-exp(-x))", () => {
  const { data } = random.gumbel(split(key, "gumbel"), [100_000])
  expect(distance(data, (x) => Math.exp(-Math.exp(-x)))).toBeLessThan(1.95)
})

test("categorical draws from the softmax, as does the largest logit plus gumbel", () => {
  const logits = Float32Array.of(0, 1, -1, 2, Number.NEGATIVE_INFINITY)
  const n = 40_000
  const weights = Array.from(logits.subarray(0, 4), Math.exp)
  const total = weights.reduce((a, b) => a + b)
  const p = weights.map((w) => w / total)
  const rows = { dtype: "float32", shape: [n, 5], data: new Float32Array(n * 5).map((_, i) => logits[i % 5]!) } as const
  const drawn = new Uint32Array(5)
  for (const i of random.categorical(split(key, "categorical"), rows).data) drawn[i]!++
  expect(drawn[4]).toBe(0)
  expect(surprise(drawn.subarray(0, 4), p)).toBeLessThan(4)

  const noise = random.gumbel(split(key, "noise"), [n, 4]).data
  const largest = new Uint32Array(4)
  for (let row = 0; row < n; row++) {
    const scores = Array.from(noise.subarray(row * 4, row * 4 + 4), (g, i) => g + logits[i]!)
    largest[scores.indexOf(Math.max(...scores))]!++
  }
  expect(surprise(largest, p)).toBeLessThan(4)
})

test.each([
  ["NaN", [0, Number.NaN, 1]],
  ["NaN at the first place", [Number.NaN, 0, 1]],
  ["no finite logit", [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ["an infinite logit", [0, Number.POSITIVE_INFINITY, 0]],
])("categorical refuses a row with %s and names it", (_, bad) => {
  const logits = { dtype: "float32", shape: [2, 3], data: Float32Array.of(0, 0, 0, ...bad) } as const
  expect(() => random.categorical(key, logits)).toThrow("BadData in random.categorical, row 1")
})

test("integers are unbiased where a remainder would not be", () => {
  // A span of 3/4 · 2^32: taken modulo it, a word would fall below a third of it half of the time.
  const span = 3 * 2 ** 30
  const thirds = new Uint32Array(3)
  for (const x of random.integers(split(key, "span"), [60_000], -(2 ** 31), span - 2 ** 31).data)
    thirds[Math.floor((x + 2 ** 31) / 2 ** 30)]!++
  expect(surprise(thirds)).toBeLessThan(4)
  const die = new Uint32Array(6)
  for (const x of random.integers(split(key, "die"), [60_000], 1, 7).data) die[x - 1]!++
  expect(surprise(die)).toBeLessThan(4)
})

test("integers stay within their bounds", () => {
  const int32s = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(keys, int32s, int32s, (k, a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b) + 1]
      for (const x of random.integers(k, [20], low, high).data) expect(x >= low && x < high).toBe(true)
    }),
  )
  expect(() => random.integers(key, [1], 3, 3)).toThrow("BadConfig in random.integers")
})

test("bernoulli is true with probability p", () => {
  const ones = Array.from(random.bernoulli(split(key, "coin"), [100_000], 0.3).data).filter((x) => x === 1).length
  expect(surprise([ones, 100_000 - ones], [0.3, 0.7])).toBeLessThan(6)
  expect(Array.from(random.bernoulli(key, [3], 0).data)).toEqual([0, 0, 0])
  expect(Array.from(random.bernoulli(key, [3], 1).data)).toEqual([1, 1, 1])
})

test("every order of four items is equally likely", () => {
  const counts = new Map<string, number>()
  for (let i = 0; i < 24_000; i++) {
    const order = random.permutation(split(key, i), 4).join("")
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  expect(counts.size).toBe(24)
  expect(surprise([...counts.values()])).toBeLessThan(4)
})

test("a choice is the beginning of the permutation, whichever way it is computed", () => {
  fc.assert(
    fc.property(keys, fc.nat(300), fc.nat(300), (k, a, b) => {
      const [n, taken] = [Math.max(a, b), Math.min(a, b)]
      const all = random.permutation(k, n)
      expect(Array.from(all).sort((x, y) => x - y)).toEqual(Array.from({ length: n }, (_, i) => i))
      expect(random.choose(k, n, taken)).toEqual(all.slice(0, taken))
    }),
  )
  expect(() => random.choose(key, 3, 4)).toThrow("BadConfig in random.choose")
})

test("a shuffle keeps every item and leaves its argument alone", () => {
  fc.assert(
    fc.property(keys, fc.array(fc.string()), (k, items) => {
      const before = [...items]
      expect(random.shuffled(k, items).sort()).toEqual([...items].sort())
      expect(items).toEqual(before)
    }),
  )
})

test.each(["uniform", "normal", "gumbel"] as const)("a longer %s tensor extends a shorter one", (name) => {
  fc.assert(
    fc.property(keys, fc.nat(40), fc.nat(40), (k, n, more) => {
      const long = random[name](k, [n + more]).data
      expect(random[name](k, [n]).data).toEqual(long.slice(0, n))
    }),
  )
})

test("names give unlike keys and uncorrelated streams, and order does not matter", () => {
  const names = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i / 2 : String((i - 1) / 2)))
  const children = names.map((name) => split(key, name))
  expect(new Set(children.map(({ hi, lo }) => `${hi} ${lo}`)).size).toBe(40)
  expect([...names].reverse().map((name) => split(key, name))).toEqual([...children].reverse())
  const streams = [key, ...children].map((child) => random.normal(child, [4096]).data)
  for (let a = 0; a < streams.length; a++) {
    // 820 pairs: five standard errors of 1/64 leave less than one false alarm in a thousand such tables
    for (let b = 0; b < a; b++) expect(Math.abs(correlation(streams[a]!, streams[b]!))).toBeLessThan(5 / 64)
  }
})

test("neighbouring draws of one stream are uncorrelated", () => {
  const { data } = random.normal(split(key, "serial"), [50_000])
  for (const lag of [1, 2, 3, 64]) {
    expect(Math.abs(correlation(data.subarray(lag), data.subarray(0, -lag)))).toBeLessThan(4 / Math.sqrt(data.length))
  }
})

test.each([[[-1]], [[2.5]], [[Number.NaN]], [[2 ** 16, 2 ** 16]]])("a tensor of shape %j is refused", (shape) => {
  expect(() => random.uniform(key, shape)).toThrow("BadConfig in random.uniform")
})
