import { setTimeout as delay } from 'node:timers/promises'
import { DOOR } from '@tideshop/cluster/place'

/** One question to the door. */
export type Question = { method?: 'POST'; path: string; body?: object; cookie?: string }

/** Longer than the door holds a caller who meets a sleeping service (WAKE_WAIT_MS in k8s/base/apigateway.yaml). */
const ANSWER_TIMEOUT_MS = 15_000
/** Callers who wait at once; more come later, as they would if they were so many. */
const WAITING_MAX = 500

/** Null when it was answered well, else what came instead. */
export async function askOnce({ method, path, body, cookie }: Question): Promise<string | null> {
  try {
    const response = await fetch(DOOR + path, {
      ...(method && { method }),
      ...(body && { body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...(cookie && { cookie }) },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    const text = await response.text()
    return response.status === 200 ? null : `${response.status} ${text.slice(0, 200)}`
  } catch (error) {
    return String((error as Error).cause ?? error)
  }
}

/** Asks so often for as long as `during` takes. Returns how many were answered, and what failed. */
export async function whileAsked(
  question: Question,
  perSecond: number,
  during: () => Promise<void>,
): Promise<{ answered: number; failed: string[] }> {
  const over = new AbortController()
  const open = new Set<Promise<void>>()
  const failed: string[] = []
  let answered = 0
  const ask = async () => {
    const failure = await askOnce(question)
    if (failure === null) answered += 1
    else failed.push(failure)
  }
  const asking = (async () => {
    for (let nextAt = performance.now(); !over.signal.aborted; nextAt += 1000 / perSecond) {
      await delay(Math.max(nextAt - performance.now(), 0), undefined, { signal: over.signal }).catch(() => {})
      if (open.size >= WAITING_MAX) continue
      const asked = ask().finally(() => open.delete(asked))
      open.add(asked)
    }
  })()
  try {
    await during()
  } finally {
    over.abort()
    await asking
    await Promise.all(open)
  }
  return { answered, failed }
}
