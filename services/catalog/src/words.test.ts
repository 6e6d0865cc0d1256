import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wordsOf } from './words.ts'

test('a search knows neither case nor accents nor signs', () => {
  expect(wordsOf('Café-Lamp, “BRASS”; café 2 m')).toEqual(['cafe', 'lamp', 'brass', '2', 'm'])
  expect(wordsOf('Captain’s')).toEqual(['captain', 's'])
})

test('signs alone are no words', () => {
  expect(wordsOf(' .*$^{}()|\\ ')).toEqual([])
})

/** Any text at all. `fc.string` would first make a list of all characters, for seconds. */
const anyText = fc.array(fc.nat(0x10ffff), { maxLength: 300 }).map((codes) => String.fromCodePoint(...codes))

test('whatever is asked, words are few, short and without signs', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const words = wordsOf(text)
      expect(words.length).toBeLessThanOrEqual(200)
      expect(words.filter((word) => !/^[\p{L}\p{N}]{1,30}$/u.test(word))).toEqual([])
    }),
  )
})
