import { customerId } from '@tideshop/contracts/basket'
import type { Request, Response } from 'express'

/**
 * Who the customer is, until there are accounts: whoever holds the id that the door made, in a cookie which no script of a page
 * reads and no other site sends along with a change. It is made with the first change: who only looks gets none.
 */

export const CUSTOMER_COOKIE = 'tideshop-customer'

/** Of the header `Cookie`. Undefined for whoever has no id, and for whoever has what the door never gave. */
export function customerIn(cookies = ''): string | undefined {
  const ours = cookies.split(';').map((cookie) => cookie.trim())
  return ours
    .filter((cookie) => cookie.startsWith(`${CUSTOMER_COOKIE}=`))
    .map((cookie) => cookie.slice(CUSTOMER_COOKIE.length + 1))
    .find((value) => customerId.safeParse(value).success)
}

/** Who asks; undefined for whoever has no id yet. */
export function customerOf(request: Request): string | undefined {
  return customerIn(request.get('cookie'))
}

/** `keptS`: seconds for which something is kept for the customer. */
export function remember(request: Request, response: Response, id: string, keptS: number): void {
  response.cookie(CUSTOMER_COOKIE, id, customerCookie(keptS, cameByHttps(request)))
}

/** An Ingress ends the encryption and says so. Whoever says it himself only keeps his own cookie from going by http. */
function cameByHttps(request: Request): boolean {
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
  return {
    maxAge: Math.max(keptS, REMEMBERED_S) * 1000,
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure,
  } as const
}
