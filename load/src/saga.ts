import { writeFile } from 'node:fs/promises'
import { readArguments, share, wholeNumber } from './arguments.ts'
import { showProgress } from './progress.ts'
import { kept, reportOf, tellReport } from './saga-report.ts'
import { DENIED_NAME, type Ledger, newLedger, type Plan, runSaga } from './saga-run.ts'
import { DEFAULT_BASE_URL, expectShop, loopbackOrigin } from './target.ts'

/** Each is held in memory until the report. */
const OPERATIONS_MAX = 100_000
const CALLERS_MAX = 500
const WAIT_SECONDS_MAX = 900

export const summary =
  'posts operations and follows each to its end: nothing lost, nothing doubled, nothing wrong'

export const help = `pnpm load saga [options]

  --operations    how many are posted (default 1000, at most ${OPERATIONS_MAX})
  --callers       connections that post at once (default 20, at most ${CALLERS_MAX})
  --deny-share    part of them that asks for the denied name "${DENIED_NAME}" (default 0.05)
  --wait-seconds  an operation that has not ended after these is lost (default 120, at most ${WAIT_SECONDS_MAX})
  --base-url      a shop on this machine (default ${DEFAULT_BASE_URL})
  --json          a file for the report

Ctrl-C ends to a report of what is known by then.
Ends with 1 when anything was refused, lost, doubled or wrong.`

export async function run(args: string[], stop: AbortSignal): Promise<boolean> {
  const { plan, json } = readPlan(args)
  await expectShop(plan.baseUrl)

  const ledger = newLedger()
  {
    using _progress = showProgress(() => progressOf(plan, ledger, stop))
    await runSaga(plan, ledger, stop)
  }

  const report = reportOf(plan, ledger, stop.aborted)
  console.log(tellReport(report))
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
  return kept(report)
}

function readPlan(args: string[]): { plan: Plan; json: string | undefined } {
  const { values } = readArguments({
    args,
    options: {
      operations: { type: 'string', default: '1000' },
      callers: { type: 'string', default: '20' },
      'deny-share': { type: 'string', default: '0.05' },
      'wait-seconds': { type: 'string', default: '120' },
      'base-url': { type: 'string', default: DEFAULT_BASE_URL },
      json: { type: 'string' },
    },
  })
  const plan = {
    baseUrl: loopbackOrigin(values['base-url']),
    operations: wholeNumber('operations', values.operations, OPERATIONS_MAX),
    callers: wholeNumber('callers', values.callers, CALLERS_MAX),
    denyShare: share('deny-share', values['deny-share']),
    waitSeconds: wholeNumber('wait-seconds', values['wait-seconds'], WAIT_SECONDS_MAX),
  }
  return { plan, json: values.json }
}

function progressOf(plan: Plan, ledger: Ledger, stop: AbortSignal): string {
  const { posted, acceptedPerSecond, endedPerSecond, ended, ...counts } = reportOf(plan, ledger, stop.aborted)
  const errors = counts.refused + counts.lost + counts.doubled + counts.wrong
  return `posted ${posted}/${plan.operations} (${acceptedPerSecond}/s) · ended ${ended} (${endedPerSecond}/s) · errors ${errors}`
}
