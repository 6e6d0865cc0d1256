/** Letters of a word that count; longer ones are compared by their beginning. */
const WORD_MAX = 30
/** Words of one good, or of one search. */
const WORDS_MAX = 200

/**
 * What a search compares: words without case and accents, each once. In an index of its own and not MongoDB's text index,
 * which knows no beginnings of words, and which the stand-in for MongoDB does not have (docs/decisions/0011).
 */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? []
  return [...new Set(words.map((word) => word.slice(0, WORD_MAX)))].slice(0, WORDS_MAX)
}
