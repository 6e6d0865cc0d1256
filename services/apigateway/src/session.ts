import type { Baskets } from '@tideshop/clients/baskets'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Log } from '@tideshop/kit/telemetry'
import type { Express, Request, Response } from 'express'
import { z } from 'zod'
import { type Accounts, type PendingSignIn, pendingSignIn } from './accounts.ts'
import { cameByHttps, cookiesIn, guestIn, ownCookie } from './customer.ts'
import { type Limit, limitSignIns } from './limits.ts'
import { takeOver } from './take-over.ts'
import { SESSION_COOKIE, sessionCookie, sessionIn } from './who.ts'

/** Seconds for which somebody may take to sign in. */
const SIGN_IN_S = 600
/** What the door has to know when the browser comes back. It holds no secret of the door: only this browser can finish it. */
const SIGN_IN_COOKIE = 'tideshop-sign-in'
const RETURN_PATH = '/sign-in/return'

export type SessionParts = { accounts: Accounts; baskets: Baskets; log: Log; signIns: Limit }

const beginning = z.object({
  /** The page to come back to. */
  to: z.string().max(1000).default('/').refine(isOwnPage, 'needs to be a path of this shop'),
  /** Passed on to the issuer: who is likely to sign in. */
  hint: z.string().max(200).optional(),
})

const kept = z.strictObject({ to: z.string().refine(isOwnPage), ...pendingSignIn.shape })

/** How browsers sign in and out: authorization code with PKCE, and then a cookie with the ID token. */
export function keepSessions(app: Express, { accounts, baskets, log, signIns }: SessionParts): void {
  const limited = limitSignIns(signIns)

  app.get('/sign-in', limited, async (request, response) => {
    const { to, hint } = parse(beginning, request.query, 'query')
    const { url, pending } = await accounts.begin(originOf(request) + RETURN_PATH, hint)
    keepPending(request, response, { to, ...pending })
    response.redirect(303, url.href)
  })

  app.get(RETURN_PATH, limited, async (request, response) => {
    const { to, ...pending } = pendingIn(request)
    response.clearCookie(SIGN_IN_COOKIE, signInCookie(request))
    const came = new URL(request.originalUrl, originOf(request))
    const { session, expiresS, account } = await accounts.finish(came, pending)
    response.cookie(SESSION_COOKIE, session, {
      ...sessionCookie(request),
      expires: new Date(expiresS * 1000),
    })
    const guest = guestIn(request.get('cookie'))
    if (guest !== undefined) {
      // Who has signed in is in, basket or not: what was not taken over is still the guest's, and is there after a sign-out.
      await takeOver(baskets, guest, account.customerId).catch((error) =>
        log.warn({ err: error }, 'a basket was not taken over'),
      )
    }
    response.redirect(303, to)
  })

  app.get('/sign-out', async (request, response) => {
    // A link of another site may not.
    if (request.get('sec-fetch-site') === 'cross-site')
      throw new Refusal('forbidden', 'another site sent you here')
    const session = sessionIn(request)
    response.clearCookie(SESSION_COOKIE, sessionCookie(request))
    const home = `${originOf(request)}/`
    const away = session === undefined ? null : await accounts.end(session, home).catch(() => null)
    response.set('cache-control', 'no-store').redirect(303, away?.href ?? '/')
  })
}

function keepPending(request: Request, response: Response, pending: PendingSignIn & { to: string }): void {
  const value = Buffer.from(JSON.stringify(pending)).toString('base64url')
  response.cookie(SIGN_IN_COOKIE, value, { ...signInCookie(request), maxAge: SIGN_IN_S * 1000 })
  response.set('cache-control', 'no-store')
}

function pendingIn(request: Request): z.infer<typeof kept> {
  const [value = ''] = cookiesIn(request.get('cookie') ?? '', SIGN_IN_COOKIE)
  try {
    return kept.parse(JSON.parse(Buffer.from(value, 'base64url').toString()))
  } catch {
    throw new Refusal('invalid', 'no sign-in was begun in this browser, or too long ago: begin it again')
  }
}

function signInCookie(request: Request) {
  return { ...ownCookie(cameByHttps(request)), path: '/sign-in' }
}

/** As the browser sees the door. An issuer sends nobody to an address that it was not told of, so who lies here stays outside. */
function originOf(request: Request): string {
  return `${cameByHttps(request) ? 'https' : 'http'}://${request.get('host')}`
}

/** No browser takes it for an address of somebody else: `//x` and `/\\x` are. */
function isOwnPage(path: string): boolean {
  return (
    path.startsWith('/') &&
    URL.canParse(path, 'http://shop') &&
    new URL(path, 'http://shop').origin === 'http://shop'
  )
}
