/**
 * A text without control characters. It says what `\P{Cc}` says, by their numbers: tools that make requests of `/openapi.json` know no
 * Unicode property.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
export const noControlCharacters = /^[^\u0000-\u001f\u007f-\u009f]*$/
