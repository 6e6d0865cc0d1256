import { setTimeout as delay } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { wholeNumber } from './arguments.ts'

/**
 * A caller who does what the shop says: 503 is "not now, ask again", and whoever loses his connection because a
 * replica goes asks again too. Both are safe for what changes nothing, and for what carries an idempotency key.
 */

export type Answer = { status: number; location: string | undefined; body: string }

export type Patience = {
  /** Milliseconds after the first ask for which a caller asks again; 0: once only. */
  patienceMs: number
  /** Hears of each ask that is going to be repeated. */
  repeated: () => void
  stop: AbortSignal
}

/** A connection stays with the replica that took it. Callers come and go, so that new replicas get their share. */
export const CONNECTION_MS_MAX = 2000

/** What the shop says in `Retry-After`. */
const AGAIN_AFTER_MS = 1000

/** By default. A shop that grows says "ask again" now and then, and so does one on a busy machine. */
const PATIENCE_SECONDS = '30'
const PATIENCE_SECONDS_MAX = 300

/** Of each scenario that asks like this. */
export const patienceOptions = { patience: { type: 'string', default: PATIENCE_SECONDS } } as const

export const patienceHelp = `  --patience      seconds for which a request is repeated when the shop asks to, or hangs up (default ${PATIENCE_SECONDS}, at most
                  ${PATIENCE_SECONDS_MAX}; 0: each refusal is a failure)`

/** Milliseconds. Throws `CannotRun` when what was typed makes no sense. */
export function readPatienceMs({ patience = '' }: Record<string, string | undefined>): number {
  return wholeNumber('patience', patience, PATIENCE_SECONDS_MAX, 0) * 1000
}

/** The last answer that was given. Throws when there was none, or when `stop` fired. */
export async function askPatiently(
  pool: Dispatcher,
  request: Dispatcher.RequestOptions,
  { patienceMs, repeated, stop }: Patience,
): Promise<Answer> {
  const giveUpAt = performance.now() + patienceMs
  while (performance.now() + AGAIN_AFTER_MS <= giveUpAt) {
    const answer = await ask(pool, request).catch(() => null)
    if (answer !== null && answer.status !== 503) return answer
    stop.throwIfAborted()
    repeated()
    await delay(AGAIN_AFTER_MS, undefined, { signal: stop })
  }
  return ask(pool, request)
}

async function ask(pool: Dispatcher, request: Dispatcher.RequestOptions): Promise<Answer> {
  const { statusCode, headers, body } = await pool.request(request)
  const { location } = headers
  return {
    status: statusCode,
    location: location === undefined ? undefined : String(location),
    body: await body.text(),
  }
}
