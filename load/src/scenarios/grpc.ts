import { Pool } from 'undici'
import { wholeNumber } from '../arguments.ts'
import { Meter } from '../meter.ts'
import { atRate } from '../pace.ts'
import {
  askPatiently,
  CONNECTION_MS_MAX,
  patienceHelp,
  patienceOptions,
  readPatienceMs,
} from '../patience.ts'
import { faultOf, questionOf } from '../price-question.ts'
import { tellTotals } from '../report.ts'
import type { LoadScenario, Work } from '../scenario.ts'

const RATE_MAX = 5000
const SECONDS_MAX = 1200
/** Three replicas' worth: pricing has one for every 100 calls a second. An open model, for a shop that is slow meets the same. */
const RATE = '250'
const SECONDS = '60'
const ANSWER_MS_MAX = 15_000
/** Questions under way at once: more than that wait outside of the shop, and it does not feel them. */
const CONNECTIONS = '200'
const CONNECTIONS_MAX = 2000
const FAULTS_TOLD_MAX = 10

/** System C's load. */
export const grpc: LoadScenario = {
  summary: 'asks what baskets cost, by gRPC behind the door, at a rate, and checks every answer to the cent',
  help: `pnpm load grpc [options]

  --rate          questions a second, whoever waits (default ${RATE}, at most ${RATE_MAX})
  --seconds       for how long (default ${SECONDS}, at most ${SECONDS_MAX})
  --connections   how many are under way at once (default ${CONNECTIONS}, at most ${CONNECTIONS_MAX}); the others wait outside
${patienceHelp}

Asks POST /api/prices/quote of the door, which asks pricing by gRPC.`,
  options: {
    rate: { type: 'string', default: RATE },
    seconds: { type: 'string', default: SECONDS },
    connections: { type: 'string', default: CONNECTIONS },
    ...patienceOptions,
  },
  hasNames: false,
  plan({ values }) {
    const perSecond = wholeNumber('rate', values['rate'] ?? '', RATE_MAX)
    const seconds = wholeNumber('seconds', values['seconds'] ?? '', SECONDS_MAX)
    const connections = wholeNumber('connections', values['connections'] ?? '', CONNECTIONS_MAX)
    const patienceMs = readPatienceMs(values)
    const asked = { perSecond, count: perSecond * seconds, connections, patienceMs }
    return ({ baseUrl }) => work({ baseUrl, ...asked })
  },
}

type Plan = { baseUrl: string; perSecond: number; count: number; connections: number; patienceMs: number }

/**
 * `faults`: how often each kind, in words. `notAsked`: an open model ends where the memory of this process does; the shop was far
 * behind then.
 */
type Tally = { meter: Meter; notAsked: number; faults: Map<string, number>; tookMs: number; lateMs: number }

function work(plan: Plan): Work {
  const tally: Tally = { meter: new Meter(), notAsked: 0, faults: new Map(), tookMs: 0, lateMs: 0 }
  return {
    title: `${plan.count} quotes, ${plan.perSecond} a second`,
    expects: [
      'no request failed',
      'first replica of pricing within 15 s',
      'pricing >= 3',
      'apigateway >= 4',
      'pricing back to 0 within 120 s',
      'apigateway back to 1 within 120 s',
    ],
    async run(meter, stop) {
      tally.meter = meter
      const startedAt = performance.now()
      await askAll(plan, tally, stop)
      tally.tookMs = performance.now() - startedAt
    },
    result() {
      const totals = tally.meter.totals()
      const faults = [...tally.faults].map(([fault, times]) => ({ fault, times })).slice(0, FAULTS_TOLD_MAX)
      const { notAsked } = tally
      const told = [
        tellTotals(totals, tally.tookMs),
        ...(notAsked > 0 ? [`          ${notAsked} did not come in, since too many waited`] : []),
        ...faults.map(({ fault, times }) => `  ${times} × ${fault}`),
      ]
      return {
        told: told.join('\n'),
        json: { ...plan, notAsked, loadLateMs: Math.round(tally.lateMs), faults },
        kept: totals.failed === 0,
        done: { unit: 'quotes', count: totals.good },
      }
    },
  }
}

async function askAll(plan: Plan, tally: Tally, stop: AbortSignal): Promise<void> {
  const limits = { headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX, clientTtl: CONNECTION_MS_MAX }
  const pool = new Pool(plan.baseUrl, { connections: plan.connections, ...limits })
  const cutOff = () => void pool.destroy()
  stop.addEventListener('abort', cutOff)
  try {
    let asked = 0
    const ask = (dueAt: number, index: number) => {
      asked += 1
      return askOne(pool, index, dueAt, { plan, tally, stop })
    }
    tally.lateMs = await atRate(plan, ask, stop)
    if (!stop.aborted) tally.notAsked = plan.count - asked
  } finally {
    stop.removeEventListener('abort', cutOff)
    await pool.destroy()
  }
}

type Asking = { plan: Plan; tally: Tally; stop: AbortSignal }

async function askOne(pool: Pool, index: number, dueAt: number, asking: Asking): Promise<void> {
  const { patienceMs } = asking.plan
  const { meter, faults } = asking.tally
  const { stop } = asking
  const question = questionOf(index)
  const request = {
    method: 'POST',
    path: '/api/prices/quote',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question.body),
  } as const
  const patience = { patienceMs, repeated: () => meter.repeated(), stop }
  const fault = await askPatiently(pool, request, patience).then(
    ({ status, body }) => faultOf(question, status, body),
    (error: Error) => error.message,
  )
  // Cut off by Ctrl-C: nobody is to blame.
  if (fault !== null && stop.aborted) return
  if (fault === null) meter.good(performance.now() - dueAt)
  else {
    meter.failed()
    faults.set(fault, (faults.get(fault) ?? 0) + 1)
  }
}
