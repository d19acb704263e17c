/** What a source says of its licence and its package: `Noto Emoji by Google, Apache-2.0, emoji-datasource-google 16.0.0`. */

/** As sources write them -> SPDX. */
const known: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bCC0\b/, "CC0-1.0"],
  [/\bCC BY-SA 3\.0/, "CC-BY-SA-3.0"],
  [/\bCC BY-SA 4\.0/, "CC-BY-SA-4.0"],
  [/\bCC BY 3\.0/, "CC-BY-3.0"],
  [/\bCC BY 4\.0/, "CC-BY-4.0"],
  [/\bApache-2\.0/, "Apache-2.0"],
  [/\bMIT\b/, "MIT"],
  [/\bPDDL\b/, "PDDL-1.0"],
  [/\bODC-BY\b/i, "ODC-By-1.0"],
]

/** A package of npm with its version: a name with a dash or a scope, then three numbers. */
const npmPackage = /(?<![\w/@-])(@[\w.-]+\/[\w.-]+|[a-z][\w.]*(?:-[\w.]+)+) (\d+\.\d+\.\d+)/

export interface Terms {
  /** The licence's address; where there are several, or none that is known, what the source says. */
  readonly license: string
  /** The address of the package, where one is named. */
  readonly url: string | null
}

export const licenseOf = (source: string): Terms => {
  const found = known.flatMap(([pattern, id]) => (pattern.test(source) ? [id] : []))
  const [, name, version] = npmPackage.exec(source) ?? []
  return {
    license: found.length === 1 ? `https://spdx.org/licenses/${found[0]}` : source,
    url: name === undefined || version === undefined ? null : `https://www.npmjs.com/package/${name}/v/${version}`,
  }
}
