import { customerId } from '@tideshop/contracts/basket'
import type { Request } from 'express'

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

/** An Ingress ends the encryption and says so. Whoever says it himself only keeps his own cookie from going by http. */
export function cameByHttps(request: Request): boolean {
  return request.secure || request.get('x-forwarded-proto')?.split(',')[0]?.trim() === 'https'
}

/** The browser keeps the id for so many seconds from now: as long as what is kept for it. */
export function customerCookie(keptS: number, isSecure: boolean) {
  return {
    maxAge: keptS * 1000,
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure,
  } as const
}
