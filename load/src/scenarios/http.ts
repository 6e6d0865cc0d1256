import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, request } from 'undici'
import { CannotRun, wholeNumber } from '../arguments.ts'
import { closedLoop } from '../closed-loop.ts'
import { Meter } from '../meter.ts'
import { askPatiently, patienceHelp, patienceOptions, readPatienceMs } from '../patience.ts'
import { tellTotals } from '../report.ts'
import type { LoadScenario, Work } from '../scenario.ts'

const REQUESTS_MAX = 1_000_000
const CALLERS_MAX = 500
/** Until the operation that is read has ended: a shop may be asleep. */
const ENDED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 250

/** System E's load, on what can be read today: one operation, over and over. */
export const http: LoadScenario = {
  summary: 'reads one operation through the door, over and over, by many callers at once',
  help: `pnpm load http [options]

  --requests      how many (default 100000, at most ${REQUESTS_MAX})
  --callers       who each ask again as soon as they are answered (default 50, at most ${CALLERS_MAX})
${patienceHelp}`,
  options: {
    requests: { type: 'string', default: '100000' },
    callers: { type: 'string', default: '50' },
    ...patienceOptions,
  },
  hasNames: false,
  plan({ values }) {
    const requests = wholeNumber('requests', values['requests'] ?? '', REQUESTS_MAX)
    const callers = wholeNumber('callers', values['callers'] ?? '', CALLERS_MAX)
    const patienceMs = readPatienceMs(values)
    return ({ baseUrl }) => work({ baseUrl, requests, callers, patienceMs })
  },
}

type Plan = { baseUrl: string; requests: number; callers: number; patienceMs: number }

function work(plan: Plan): Work {
  let met = new Meter()
  let tookMs = 0
  return {
    title: `${plan.requests} requests by ${plan.callers} callers`,
    expects: [
      'no request failed',
      'first replica within 15 s',
      'apigateway >= 4',
      'apigateway back to 1 within 120 s',
      'operations back to 0 within 120 s',
    ],
    async run(meter, stop) {
      met = meter
      const id = await endedOperation(plan.baseUrl, plan.patienceMs, stop)
      if (id === null) return
      const target = { origin: plan.baseUrl, path: `/operation/get/${id}`, holds: id }
      const startedAt = performance.now()
      await closedLoop(
        target,
        { ...plan, repeated: () => meter.repeated() },
        (ms, isGood) => (isGood ? meter.good(ms) : meter.failed()),
        stop,
      )
      tookMs = performance.now() - startedAt
    },
    result() {
      const totals = met.totals()
      const { good, failed } = totals
      const json = { requests: plan.requests, callers: plan.callers, good, failed }
      return {
        told: tellTotals(totals, tookMs),
        json,
        kept: failed === 0,
        done: { unit: 'requests', count: good },
      }
    },
  }
}

/** An operation that does not change any more; null when `stop` fired before. */
async function endedOperation(
  baseUrl: string,
  patienceMs: number,
  stop: AbortSignal,
): Promise<string | null> {
  const id = await create(baseUrl, patienceMs, stop)
  const deadline = performance.now() + ENDED_WITHIN_MS
  while (!stop.aborted && performance.now() < deadline) {
    const { statusCode, body } = await request(`${baseUrl}/operation/get/${id}`)
    const text = await body.text()
    if (statusCode === 200 && (JSON.parse(text) as { state?: string }).state !== 'pending') return id
    await delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
  }
  if (stop.aborted) return null
  throw new CannotRun(
    `operation ${id} did not end within ${ENDED_WITHIN_MS / 1000} s: there is nothing to read`,
  )
}

async function create(baseUrl: string, patienceMs: number, stop: AbortSignal): Promise<string> {
  const client = new Client(baseUrl)
  const request = {
    method: 'POST',
    path: '/operation/create/user-create',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ name: 'reader' }),
  } as const
  try {
    const answer = await askPatiently(client, request, { patienceMs, repeated: () => undefined, stop })
    if (answer.status === 202) return (JSON.parse(answer.body) as { uuid: string }).uuid
    throw new CannotRun(`the shop takes no operation to read: ${answer.status} ${answer.body.slice(0, 200)}`)
  } finally {
    await client.destroy()
  }
}
