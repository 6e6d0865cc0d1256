import { Pool } from 'undici'
import { askPatiently, type Patience } from './patience.ts'

/** Where to ask, and what an answer that counts has in it. */
export type Target = { origin: string; path: string; holds: string }

/** How often, and by how many at once. */
export type Crowd = { requests: number; callers: number } & Omit<Patience, 'stop'>

/** `ms`: from the first ask to the answer. */
export type Heard = (ms: number, isGood: boolean) => void

const ANSWER_MS_MAX = 15_000

/** `callers` who each ask again as soon as they are answered, until all is asked or `stop` fires. */
export async function closedLoop(
  target: Target,
  crowd: Crowd,
  heard: Heard,
  stop: AbortSignal,
): Promise<void> {
  const limits = { headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX }
  const pool = new Pool(target.origin, { connections: crowd.callers, pipelining: 1, ...limits })
  const cutOff = () => void pool.destroy()
  stop.addEventListener('abort', cutOff)
  let asked = 0

  async function call(): Promise<void> {
    while (asked < crowd.requests && !stop.aborted) {
      asked += 1
      const askedAt = performance.now()
      const isGood = await isAnswered(pool, target, { ...crowd, stop })
      if (!stop.aborted) heard(performance.now() - askedAt, isGood)
    }
  }

  try {
    await Promise.all(Array.from({ length: crowd.callers }, call))
  } finally {
    stop.removeEventListener('abort', cutOff)
    await pool.destroy()
  }
}

async function isAnswered(pool: Pool, { path, holds }: Target, patience: Patience): Promise<boolean> {
  try {
    const { status, body } = await askPatiently(pool, { method: 'GET', path }, patience)
    return status === 200 && body.includes(holds)
  } catch {
    return false
  }
}
