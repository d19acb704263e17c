/** A package of emoji of a test's own: squares of one colour each, with a hole, some with skin tones. */
import type { Artist, EmojiPackage } from "@millrace/examples/data/emojiData"
import { encodePng } from "../pipelines/images/png.js"
import { integrityOf, tgz } from "./tarball.js"

/** The colour of picture i, of either artist. */
export const colourOf = (i: number, artist: Artist): readonly [number, number, number] =>
  artist === "google" ? [(i * 53) % 256, (i * 101) % 256, (i * 29) % 256] : [(i * 29) % 256, 255 - (i % 200), 10]

/** A square whose left half is clear. */
const picture = (colour: readonly [number, number, number]): Buffer =>
  encodePng({ height: 8, width: 8, depth: 8, type: 6, sample: (_, x, s) => (s === 3 ? (x < 4 ? 0 : 255) : colour[s]!) })

const tones = ["1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"]

export interface Described {
  readonly code: string
  readonly name: string
  readonly shortNames?: ReadonlyArray<string>
  readonly tones?: boolean
  readonly category?: string
  readonly drawn?: boolean
}

/** The package of some emoji; picture 6 i is emoji i, 6 i + 1 … 6 i + 5 its tones. */
export const packageOf = (
  artist: Artist,
  emoji: ReadonlyArray<Described>,
): { tarball: Buffer; pinned: EmojiPackage } => {
  const list = emoji.map(
    ({ code, name, shortNames = [name.toLowerCase().replaceAll(" ", "_")], category, drawn, ...rest }) => ({
      name,
      unified: code.toUpperCase(),
      image: `${code}.png`,
      short_name: shortNames[0],
      short_names: shortNames,
      category: category ?? "Objects",
      subcategory: "some-things",
      has_img_google: drawn ?? true,
      has_img_twitter: true,
      ...(rest.tones === true
        ? { skin_variations: Object.fromEntries(tones.map((tone) => [tone, { image: `${code}-${tone}.png` }])) }
        : {}),
    }),
  )
  const folder = `package/img/${artist}/64`
  const tarball = tgz([
    { name: "package/emoji.json", content: JSON.stringify(list) },
    ...emoji.flatMap(({ code, tones: has }, i) => [
      { name: `${folder}/${code}.png`, content: picture(colourOf(6 * i, artist)) },
      ...(has === true
        ? tones.map((tone, j) => ({
            name: `${folder}/${code}-${tone}.png`,
            content: picture(colourOf(6 * i + j + 1, artist)),
          }))
        : []),
    ]),
  ])
  return {
    tarball,
    pinned: {
      name: `emoji-datasource-${artist}`,
      version: "0.0.1",
      integrity: integrityOf(tarball),
      files: ["emoji.json", `img/${artist}/64/`],
      megabytes: 1,
      source: `squares by ${artist}, made by a test`,
    },
  }
}
