/**
 * A caption as its tokenizer reads it: lower case, single spaces, and one before the first word, so that a word is the same
 * token wherever it stands.
 * @source Radford et al. 2021, section 2.4, for lower case
 */
export const captionText = (caption: string): string => ` ${caption.trim().toLowerCase().replaceAll(/\s+/gu, " ")}`
