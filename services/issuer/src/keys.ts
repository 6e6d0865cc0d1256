import type { JWK } from 'jose'

/** A private key and when it was made, in milliseconds. */
export type SigningKey = { jwk: JWK; madeAt: number }

/**
 * The newest signs, and stands first. An older one signed until the next was made, and stays in the JWKS until the last token
 * of that moment is over. So there are never more than `ttlMs` divided by the time between two keys, and two.
 */
export function withNewKey(keys: readonly SigningKey[], fresh: SigningKey, ttlMs: number): SigningKey[] {
  const all = [fresh, ...keys]
  return all.filter((_, nth) => {
    const successor = all[nth - 1]
    return successor === undefined || successor.madeAt + ttlMs >= fresh.madeAt
  })
}
