import { createHash } from 'node:crypto'
import { guestId } from '@tideshop/contracts/basket'
import type { Request } from 'express'

/**
 * Under which id a customer is known to the shop. A guest holds an id that the door made, in a cookie which no script of a page
 * reads and no other site sends along with a change. It is made with the first change: who only looks gets none. Who has signed
 * in has an id that follows from who the issuer says it is, of another kind, so that no cookie can claim it.
 */

export const CUSTOMER_COOKIE = 'tideshop-customer'

/** Of the header `Cookie`. Undefined for whoever has no id, and for whoever has what the door never gave. */
export function guestIn(cookies = ''): string | undefined {
  return cookiesIn(cookies, CUSTOMER_COOKIE).find((value) => guestId.safeParse(value).success)
}

/** All values of that name: a browser can have several, of several paths. */
export function cookiesIn(cookies: string, name: string): string[] {
  const ours = cookies.split(';').map((cookie) => cookie.trim())
  return ours.filter((cookie) => cookie.startsWith(`${name}=`)).map((cookie) => cookie.slice(name.length + 1))
}

/** UUIDv8: a hash of the two that OpenID Connect promises to be one person, for ever. */
export function accountIdOf(issuer: string, subject: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-')
}

/** An Ingress ends the encryption and says so. Whoever says it himself only keeps his own cookie from going by http. */
export function cameByHttps(request: Request): boolean {
  return request.secure || request.get('x-forwarded-proto')?.split(',')[0]?.trim() === 'https'
}

/**
 * Seconds for which a customer wants to see what he ordered, and can by his cookie alone. Every customer is remembered for so long:
 * each change of a basket sets the cookie anew, a browser does not tell how long it would have kept the last one, and one that was
 * set for a basket would take the orders out of sight with it.
 */
const REMEMBERED_S = 365 * 86_400

/** The browser keeps the id for so many seconds from now at least. */
export function customerCookie(keptS: number, isSecure: boolean) {
  return { ...ownCookie(isSecure), maxAge: Math.max(keptS, REMEMBERED_S) * 1000, path: '/' }
}

/** No script of a page reads it, and no other site sends it along with a change. */
export function ownCookie(isSecure: boolean) {
  return { httpOnly: true, sameSite: 'lax', secure: isSecure } as const
}
