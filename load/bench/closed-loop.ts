import { Pool } from 'undici'

/** Where to ask, and what an answer that counts has in it. */
export type Target = { origin: string; path: string; holds: string }

export type Round = { ms: number[]; good: number; asked: number; tookMs: number }

const ANSWER_MS_MAX = 15_000

/** `callers` who each ask again as soon as they are answered, until `count` are asked or `stop` fires. */
export async function closedLoop(
  { origin, path, holds }: Target,
  count: number,
  callers: number,
  stop: AbortSignal,
): Promise<Round> {
  const limits = { headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX }
  const pool = new Pool(origin, { connections: callers, pipelining: 1, ...limits })
  const round: Round = { ms: [], good: 0, asked: 0, tookMs: 0 }
  const startedAt = performance.now()

  async function call(): Promise<void> {
    while (round.asked < count && !stop.aborted) {
      round.asked += 1
      const askedAt = performance.now()
      const isGood = await ask(pool, path, holds)
      round.ms.push(performance.now() - askedAt)
      if (isGood) round.good += 1
    }
  }

  try {
    await Promise.all(Array.from({ length: callers }, call))
  } finally {
    round.tookMs = performance.now() - startedAt
    await pool.close()
  }
  stop.throwIfAborted()
  return round
}

async function ask(pool: Pool, path: string, holds: string): Promise<boolean> {
  try {
    const { statusCode, body } = await pool.request({ method: 'GET', path })
    const text = await body.text()
    return statusCode === 200 && text.includes(holds)
  } catch {
    return false
  }
}
