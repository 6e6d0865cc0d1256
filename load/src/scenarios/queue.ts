import { RABBITMQ_DOOR_PORT } from '@tideshop/cluster/place'
import { RABBITMQ_OF_START, rabbitmqAddress } from '@tideshop/run/rabbitmq'
import { CannotRun, wholeNumber } from '../arguments.ts'
import { isKept, newLedger, reportOf, tellReport } from '../queue-ledger.ts'
import { type QueuePlan, runQueue } from '../queue-run.ts'
import type { LoadScenario, Work } from '../scenario.ts'
import { isLoopback } from '../target.ts'

/** Each takes 5 s: one replica writes so many in two hours. */
const JOBS_MAX = 10_000
/** Longer than a replica takes to come and one invoice to be written, on a busy machine. */
const PATIENCE_SECONDS = '60'
const PATIENCE_SECONDS_MAX = 900
/** One replica for so many, and so many at most: keda/invoices.yaml. */
const JOBS_PER_REPLICA = 20
const REPLICAS_MAX = 20

const OF_CLUSTER = rabbitmqAddress('127.0.0.1', RABBITMQ_DOOR_PORT)

/** System B's load. */
export const queue: LoadScenario = {
  summary: 'puts orders into RabbitMQ, all at once, and follows each to its invoice',
  help: `pnpm load queue [options]

  --jobs          how many orders (default 200, at most ${JOBS_MAX})
  --rabbitmq      where (default RABBITMQ_URL or ${RABBITMQ_OF_START}, on a cluster
                  ${OF_CLUSTER})
  --wait-seconds  over when for so long no invoice came; what has none then is lost (default ${PATIENCE_SECONDS}, at
                  most ${PATIENCE_SECONDS_MAX})

An invoice takes INVOICE_WORK_MS, which is 5 s by itself: one replica, as \`pnpm start\` has it, needs a quarter of an hour
for 200.`,
  options: {
    jobs: { type: 'string', default: '200' },
    rabbitmq: { type: 'string' },
    'wait-seconds': { type: 'string', default: PATIENCE_SECONDS },
  },
  hasNames: false,
  plan({ values }) {
    const jobs = wholeNumber('jobs', values['jobs'] ?? '', JOBS_MAX)
    const patienceSeconds = wholeNumber('wait-seconds', values['wait-seconds'] ?? '', PATIENCE_SECONDS_MAX)
    const { RABBITMQ_URL = RABBITMQ_OF_START } = process.env
    return ({ cluster }) => {
      const url = values['rabbitmq'] ?? (cluster === null ? RABBITMQ_URL : OF_CLUSTER)
      return work({ url: onThisMachine(url), jobs, patienceSeconds })
    }
  },
}

function onThisMachine(url: string): string {
  if (isLoopback(url) && new URL(url).protocol === 'amqp:') return url
  throw new CannotRun('--rabbitmq is an amqp:// address of this machine: load goes to no other')
}

function work(plan: QueuePlan): Work {
  const ledger = newLedger()
  return {
    title: `${plan.jobs} orders in RabbitMQ`,
    expects: [
      'no request failed',
      'first replica of invoices within 15 s',
      // Half of what they ask for at first: fewer wait when the last replicas are there.
      `invoices >= ${Math.min(Math.ceil(plan.jobs / JOBS_PER_REPLICA / 2), REPLICAS_MAX)}`,
      'invoices back to 0 within 120 s',
    ],
    run: (meter, stop) => {
      ledger.startedAt = performance.now()
      return runQueue(plan, ledger, meter, stop)
    },
    result: () => {
      const report = reportOf(ledger)
      const done = { unit: 'invoices', count: report.issued }
      return { told: tellReport(report), json: report, kept: isKept(report), done }
    },
  }
}
