import type { JWK } from 'jose'

/** A private key and when it was made, in milliseconds. */
export type SigningKey = { jwk: JWK; madeAt: number }

/**
 * The newest first. It is shown before it signs, since some who read tokens look for keys only every ten minutes, as sidecars do; the one
 * before it signs now. An older one signed until it was followed, and is shown until the last token of that moment is over.
 * So there are never more than `ttlMs` divided by the time between two keys, and three.
 */
export function withNewKey(keys: readonly SigningKey[], fresh: SigningKey, ttlMs: number): SigningKey[] {
  const all = [fresh, ...keys]
  return all.filter((_, nth) => {
    const signedUntil = all[nth - 2]?.madeAt ?? Number.POSITIVE_INFINITY
    return signedUntil + ttlMs >= fresh.madeAt
  })
}

/** The one that signs first, as `oidc-provider` takes it. */
export function inOrderOfUse([next, current, ...old]: readonly SigningKey[]): JWK[] {
  return [current, next, ...old].flatMap((key) => key?.jwk ?? [])
}
