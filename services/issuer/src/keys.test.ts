import { expect, test } from 'vitest'
import { inOrderOfUse, type SigningKey, withNewKey } from './keys.ts'

const TTL_MS = 3000

function keyOf(madeAt: number): SigningKey {
  return { jwk: { kid: String(madeAt) }, madeAt }
}

/** The one that signs first. */
function shown(keys: readonly SigningKey[]): string[] {
  return inOrderOfUse(keys).map(({ kid }) => String(kid))
}

test('a new key is shown before it signs', () => {
  const two = withNewKey([keyOf(0)], keyOf(1000), TTL_MS)
  expect(shown(two)).toEqual(['0', '1000'])
  expect(shown(withNewKey(two, keyOf(2000), TTL_MS))).toEqual(['1000', '2000', '0'])
})

test('a key goes when the last token that it can have signed is over, and not before', () => {
  const keys = [keyOf(2000), keyOf(1000), keyOf(0)]
  expect(shown(withNewKey(keys, keyOf(2000 + TTL_MS), TTL_MS))).toEqual(['2000', '5000', '1000', '0'])
  expect(shown(withNewKey(keys, keyOf(2001 + TTL_MS), TTL_MS))).toEqual(['2000', '5001', '1000'])
})

test('however long it runs, the keys do not grow in number', () => {
  let keys: SigningKey[] = []
  for (let nth = 0; nth < 100; nth += 1) keys = withNewKey(keys, keyOf(nth * 1000), TTL_MS)
  expect(keys).toHaveLength(TTL_MS / 1000 + 3)
})
