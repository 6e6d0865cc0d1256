import { Refusal } from '@tideshop/kit/refusal'
import type { Request, RequestHandler, Response } from 'express'
import { whoAsks } from './who.ts'

/**
 * How often one may ask. A bucket for each who asks, full at first: each request takes a token, and so many come back each
 * second. They are in the memory of one replica of the door, so with three of them somebody may ask three times as often: it
 * keeps one customer from the place of all others, and is no wall against many. That is the Ingress's.
 */
export type Limit = { perS: number; burst: number }

export type DoorLimits = {
  /** For each customer, what changes something. Who has no id yet is not counted. */
  changes: Limit
  /** For each address, sign-ins that are begun or finished. */
  signIns: Limit
}

export const defaultLimits: DoorLimits = {
  changes: { perS: 50, burst: 500 },
  signIns: { perS: 1, burst: 30 },
}

/** Buckets at once. Beyond it the one that was used the longest ago is forgotten, which is most likely full again. */
const BUCKETS_MAX = 20_000

/** Milliseconds until the next token, for who asks now and gets none; 0 for who gets one. */
export type Bucket = (key: string) => number

export function buckets({ perS, burst }: Limit, nowMs: () => number = () => performance.now()): Bucket {
  const left = new Map<string, { tokens: number; atMs: number }>()
  return (key) => {
    const atMs = nowMs()
    const known = left.get(key)
    const tokens =
      known === undefined ? burst : Math.min(burst, known.tokens + ((atMs - known.atMs) / 1000) * perS)
    const isGiven = tokens >= 1
    left.delete(key)
    left.set(key, { tokens: isGiven ? tokens - 1 : tokens, atMs })
    const [oldest] = left.keys()
    if (left.size > BUCKETS_MAX && oldest !== undefined) left.delete(oldest)
    return isGiven ? 0 : ((1 - tokens) / perS) * 1000
  }
}

const LOOKING = new Set(['GET', 'HEAD', 'OPTIONS'])

export function limitChanges(limit: Limit): RequestHandler {
  const take = buckets(limit)
  return (request, response, next) => {
    const { customerId } = whoAsks(request)
    if (customerId !== undefined && !LOOKING.has(request.method)) demand(take(customerId), response)
    next()
  }
}

export function limitSignIns(limit: Limit): RequestHandler {
  const take = buckets(limit)
  return (request: Request, response, next) => {
    demand(take(request.ip ?? ''), response)
    next()
  }
}

function demand(waitMs: number, response: Response): void {
  if (waitMs === 0) return
  response.set('retry-after', String(Math.ceil(waitMs / 1000)))
  throw new Refusal('too-many', 'you ask too often')
}
