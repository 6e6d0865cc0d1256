import { Refusal } from '@tideshop/kit/refusal'
import type { Request, RequestHandler, Response } from 'express'
import type { Account, Accounts } from './accounts.ts'
import { CUSTOMER_COOKIE, cameByHttps, cookiesIn, customerCookie, guestIn, ownCookie } from './customer.ts'
import type { Permission } from './permissions.ts'

/** Who asks: the one place that says it, for every route. */
export type Who = {
  /** Under which the shop knows its basket and its orders; undefined for a guest who has begun nothing yet. */
  customerId: string | undefined
  /** Null for a guest. */
  account: Account | null
}

export const SESSION_COOKIE = 'tideshop-session'

const asking = new WeakMap<Request, Who>()

export function whoAsks(request: Request): Who {
  const who = asking.get(request)
  if (who === undefined) throw new Error('nobody looked who asks')
  return who
}

/** Undefined for whoever has no id yet. */
export function customerOf(request: Request): string | undefined {
  return whoAsks(request).customerId
}

/** Looks once, before all routes. Who shows no token costs nothing, and one that is not right is refused at each of them. */
export function lookWhoAsks(accounts: Accounts | undefined): RequestHandler {
  async function look(request: Request, response: Response): Promise<Who> {
    const token = bearerIn(request.get('authorization'))
    if (token !== undefined) return whoHas(await accountOf(token, accounts, response))
    return (await signedIn(request, accounts, response)) ?? guest(request)
  }

  return (request, response, next) => {
    if (showsNothing(request)) {
      asking.set(request, nobody)
      return next()
    }
    return look(request, response).then((who) => {
      asking.set(request, who)
      next()
    })
  }
}

const nobody: Who = { customerId: undefined, account: null }

function showsNothing({ headers }: Request): boolean {
  return headers.authorization === undefined && headers.cookie === undefined
}

async function signedIn(
  request: Request,
  accounts: Accounts | undefined,
  response: Response,
): Promise<Who | null> {
  const session = sessionIn(request)
  if (session === undefined || accounts === undefined) return null
  const account = await accounts.ofSession(session).catch(nobodyIfRefused)
  if (account !== null) return whoHas(account)
  // He had signed in, and it is over: from now on he is the guest that he was before.
  response.clearCookie(SESSION_COOKIE, sessionCookie(request))
  return null
}

/** A route behind it is for those alone whose role has this permission. */
export function needs(permission: Permission): RequestHandler {
  return (request, response, next) => {
    const { account } = whoAsks(request)
    if (account === null) throw unauthenticated(response, 'sign in, or send a bearer token')
    if (!account.permissions.has(permission))
      throw new Refusal('forbidden', `it needs the permission ${permission}`)
    next()
  }
}

/** `keptS`: seconds for which something is kept for the customer. Who has an account is known again by the issuer. */
export function remember(request: Request, response: Response, customerId: string, keptS: number): void {
  if (whoAsks(request).account !== null) return
  response.cookie(CUSTOMER_COOKIE, customerId, customerCookie(keptS, cameByHttps(request)))
}

export function sessionIn(request: Request): string | undefined {
  return cookiesIn(request.get('cookie') ?? '', SESSION_COOKIE)[0]
}

export function sessionCookie(request: Request) {
  return { ...ownCookie(cameByHttps(request)), path: '/' }
}

function guest(request: Request): Who {
  return { customerId: guestIn(request.get('cookie')), account: null }
}

function whoHas(account: Account): Who {
  return { customerId: account.customerId, account }
}

async function accountOf(
  token: string,
  accounts: Accounts | undefined,
  response: Response,
): Promise<Account> {
  if (accounts === undefined) throw unauthenticated(response, 'this shop has no accounts')
  return accounts.ofToken(token).catch((error) => {
    if (error instanceof Refusal && error.code === 'unauthenticated')
      throw unauthenticated(response, error.message, 'invalid_token')
    throw error
  })
}

function nobodyIfRefused(error: unknown): null {
  if (error instanceof Refusal && error.code === 'unauthenticated') return null
  throw error
}

/** RFC 6750, 3: who is refused for want of a token is told which kind is meant. */
function unauthenticated(response: Response, why: string, error?: string): Refusal {
  response.set(
    'www-authenticate',
    `Bearer realm="tideshop"${error === undefined ? '' : `, error="${error}"`}`,
  )
  return new Refusal('unauthenticated', why)
}

function bearerIn(authorization = ''): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}
