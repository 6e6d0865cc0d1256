import { expect, test } from 'vitest'
import { type SigningKey, withNewKey } from './keys.ts'

const TTL_MS = 3000

function keyOf(madeAt: number): SigningKey {
  return { jwk: { kid: String(madeAt) }, madeAt }
}

function kids(keys: readonly SigningKey[]): string[] {
  return keys.map(({ jwk }) => String(jwk.kid))
}

test('the newest key signs', () => {
  expect(kids(withNewKey([keyOf(0)], keyOf(1000), TTL_MS))).toEqual(['1000', '0'])
})

test('a key goes when the last token that it can have signed is over, and not before', () => {
  const keys = withNewKey([keyOf(0)], keyOf(1000), TTL_MS)
  expect(kids(withNewKey(keys, keyOf(1000 + TTL_MS), TTL_MS))).toEqual(['4000', '1000', '0'])
  expect(kids(withNewKey(keys, keyOf(1001 + TTL_MS), TTL_MS))).toEqual(['4001', '1000'])
})

test('however long it runs, the keys do not grow in number', () => {
  let keys: SigningKey[] = []
  for (let nth = 0; nth < 100; nth += 1) keys = withNewKey(keys, keyOf(nth * 1000), TTL_MS)
  expect(keys).toHaveLength(TTL_MS / 1000 + 2)
})
