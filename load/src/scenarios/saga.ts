import { CannotRun, share, wholeNumber } from '../arguments.ts'
import { Meter } from '../meter.ts'
import { patienceHelp, patienceOptions, readPatienceMs } from '../patience.ts'
import { kept, reportOf, tellReport } from '../saga-report.ts'
import { DENIED_NAME, newLedger, type Plan, runSaga } from '../saga-run.ts'
import type { LoadScenario, Typed, Work } from '../scenario.ts'

/** Each is held in memory until the report. */
const OPERATIONS_MAX = 100_000
const CALLERS_MAX = 500
const RATE_MAX = 5000
const SECONDS_MAX = 1200
const WAIT_SECONDS_MAX = 900
/** Enough for every scaler to be asked for several replicas, and little enough for two cores to start them meanwhile. */
const CLUSTER = { rate: '40', seconds: '60', callers: '60' }
/** An operation is a record in each of four topics. */
const EVENTS_PER_OPERATION = 4

export const saga: LoadScenario = {
  summary: 'posts operations and follows each to its end: nothing lost, nothing doubled, nothing wrong',
  help: `pnpm load saga [options]

  --operations    how many are posted (default 1000, at most ${OPERATIONS_MAX})
  --callers       connections that post at once (default 20, on a cluster ${CLUSTER.callers}, at most ${CALLERS_MAX})
  --rate          operations a second, whoever waits (default: each caller posts as soon as it is answered; on a
                  cluster ${CLUSTER.rate}), at most ${RATE_MAX}
  --seconds       instead of --operations, with a rate: for how long (on a cluster by default ${CLUSTER.seconds})
  --deny-share    part of them that asks for the denied name "${DENIED_NAME}" (default 0.05)
  --wait-seconds  an operation that has not ended after these is lost (default 120, at most ${WAIT_SECONDS_MAX})
${patienceHelp}`,
  options: {
    operations: { type: 'string' },
    callers: { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string' },
    'deny-share': { type: 'string', default: '0.05' },
    'wait-seconds': { type: 'string', default: '120' },
    ...patienceOptions,
  },
  hasNames: false,
  plan({ values }) {
    const { operations, seconds } = values
    if (operations !== undefined && seconds !== undefined) {
      throw new CannotRun('give one of --operations and --seconds')
    }
    const fixed = {
      denyShare: share('deny-share', values['deny-share'] ?? ''),
      waitSeconds: wholeNumber('wait-seconds', values['wait-seconds'] ?? '', WAIT_SECONDS_MAX),
      patienceMs: readPatienceMs(values),
    }
    return ({ baseUrl, cluster }) => {
      const { seconds: length, ...others } = CLUSTER
      const byDefault = operations === undefined ? { ...others, seconds: length } : others
      const asked = cluster === null ? values : { ...byDefault, ...values }
      return work({ baseUrl, ...fixed, ...quantityOf(asked) })
    }
  },
}

function quantityOf(values: Typed['values']): Pick<Plan, 'operations' | 'callers' | 'perSecond'> {
  const { rate, seconds, operations = '1000', callers = '20' } = values
  const perSecond = rate === undefined ? null : wholeNumber('rate', rate, RATE_MAX)
  const who = { callers: wholeNumber('callers', callers, CALLERS_MAX), perSecond }
  if (seconds === undefined)
    return { operations: wholeNumber('operations', operations, OPERATIONS_MAX), ...who }
  if (perSecond === null) throw new CannotRun('--seconds goes with --rate')
  const count = perSecond * wholeNumber('seconds', seconds, SECONDS_MAX)
  if (count > OPERATIONS_MAX) throw new CannotRun(`that would be more than ${OPERATIONS_MAX} operations`)
  return { operations: count, ...who }
}

function work(plan: Plan): Work {
  const ledger = newLedger()
  let met = new Meter()
  return {
    title: titleOf(plan),
    expects: [
      'no request failed',
      'first replica within 15 s',
      'apigateway >= 2',
      'users >= 2',
      'approvals >= 4',
      ...['apigateway back to 1', 'operations back to 0', 'users back to 0', 'approvals back to 0'].map(
        (back) => `${back} within 120 s`,
      ),
    ],
    run: (meter, stop) => {
      met = meter
      ledger.startedAt = performance.now()
      return runSaga(plan, ledger, meter, stop)
    },
    result: () => {
      const report = reportOf(plan, ledger, met.totals().repeated)
      const done = { unit: 'events', count: report.ended * EVENTS_PER_OPERATION }
      return { told: tellReport(report), json: report, kept: kept(report), done }
    },
  }
}

function titleOf({ operations, callers, perSecond }: Plan): string {
  return perSecond === null
    ? `${operations} operations by ${callers} callers`
    : `${operations} operations, ${perSecond} a second`
}
