/** The most lines of one field. */
export const SHOWN = 20

/** Findings as lines of an error's field; what is beyond twenty is counted, so that an error can always be read. */
export const lines = (found: ReadonlyArray<string>): string => {
  const distinct = [...new Set(found)]
  const shown = distinct.slice(0, SHOWN)
  return [...shown, ...(distinct.length > shown.length ? [`and ${distinct.length - shown.length} more`] : [])].join(
    "\n",
  )
}
