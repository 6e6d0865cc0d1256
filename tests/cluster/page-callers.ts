import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { type AskForPage, page } from '@tideshop/contracts/storefront'
import { type Latencies, latencies } from '@tideshop/load/latencies'
import { Pool } from 'undici'

/**
 * Run within the cluster's network, where the interceptor is: `node page-callers.ts <address> <host> <callers> <seconds>`. Each caller
 * asks storefront for a page, and again as soon as it has it, until the time is over: at least once. Writes an `Asked` as JSON.
 */

export type Asked = {
  pages: number
  tookMs: number
  latencies: Latencies | null
  failures: number
  /** Of the first few of them. */
  why: string[]
}

/** Longer than the route gives a request (keda/as-published/storefront.yaml). */
const ANSWER_TIMEOUT_MS = 35_000
const WHY_MAX = 10
const PATH = '/p/LMP-0101'

const [address = '', host = '', callers, seconds] = process.argv.slice(2)

async function ask(pool: Pool): Promise<string | null> {
  const asked: AskForPage = {
    method: 'GET',
    path: PATH,
    query: {},
    form: {},
    newId: randomUUIDv7(),
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
  }
  try {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/page',
      headers: { host, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    })
    const text = await body.text()
    if (statusCode !== 200) return `${statusCode} ${text.slice(0, 200)}`
    // A page that says what is wrong is an answer as well.
    const shown = page.parse(JSON.parse(text))
    return 'html' in shown && shown.status === 200 ? null : text.slice(0, 200)
  } catch (error) {
    return String(error)
  }
}

async function askedBy(callers: number, forMs: number): Promise<Asked> {
  const limits = { headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS }
  const pool = new Pool(address, { connections: callers, ...limits })
  const began = performance.now()
  const tookMs: number[] = []
  const why: string[] = []
  let failures = 0
  const caller = async () => {
    do {
      const askedAt = performance.now()
      const failure = await ask(pool)
      if (failure === null) tookMs.push(performance.now() - askedAt)
      else {
        failures += 1
        if (why.length < WHY_MAX) why.push(failure)
      }
    } while (performance.now() - began < forMs)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const all = performance.now() - began
  await pool.close()
  return { pages: tookMs.length, tookMs: all, latencies: latencies(tookMs), failures, why }
}

console.log(JSON.stringify(await askedBy(Number(callers), Number(seconds) * 1000)))
