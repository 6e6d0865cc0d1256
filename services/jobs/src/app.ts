import { listFailures, settleFailure as wish } from '@tideshop/contracts/failures'
import {
  type DayReport,
  type JobName,
  type LowStock,
  listReports,
  type ReportsPage,
} from '@tideshop/contracts/jobs'
import { type HttpParts, httpApp, jsonBody } from '@tideshop/kit/http'
import { type InboxParts, subscribe } from '@tideshop/kit/inbox'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Express } from 'express'
import type { After } from './failures.ts'
import { expireOrders, type JobParts, reportDays, restockOnce, takeLowStock } from './job.ts'
import { paged as failuresPage, quarantines, type SettlingParts, settleFailure } from './settling.ts'

export type JobsParts = HttpParts & InboxParts & JobParts & SettlingParts

/**
 * The clock is the sidecar's: a cron binding for each job calls its route. Each sidecar has a clock of its own, forgets a
 * call that failed, and begins the next one while the last is under way; so a job does what is to be done by now, whoever did
 * it before, and no job counts how often it was called.
 */
export function jobsApp(parts: JobsParts): Express {
  return httpApp(parts, (app) => {
    subscribe(app, parts, quarantines(parts))
    byTheClock(app, parts, 'expire', () => expireOrders(parts))
    byTheClock(app, parts, 'statistics', () => reportDays(parts))
    byTheClock(app, parts, 'restock', () => restockOnce(parts))

    app.post('/restock', async (_request, response) => {
      response.json((await takeLowStock(parts)) satisfies LowStock)
    })

    app.get('/failures', async (request, response) => {
      const { after, limit } = parse(listFailures, request.query, 'query')
      const found = await parts.failures.list({
        after: after === undefined ? after : placeIn(after),
        max: limit + 1,
      })
      response.json(failuresPage(found, limit))
    })

    app.post('/failures/settle', jsonBody, async (request, response) => {
      response.json(await settleFailure(parts, parse(wish, request.body)))
    })

    app.get('/reports', async (request, response) => {
      const { after, limit } = parse(listReports, request.query, 'query')
      const found = await parts.reports.list({ after, max: limit + 1 })
      response.json(paged(found, limit) satisfies ReportsPage)
    })
  })
}

/** `work` gives back what the log should know. One at a time in this process: the next call finds it being done. */
function byTheClock(app: Express, parts: JobsParts, job: JobName, work: () => Promise<object>): void {
  const { log, metrics } = parts
  let isUnderWay = false
  app.post(`/jobs/${job}`, async (_request, response) => {
    if (isUnderWay) {
      response.json({})
      return
    }
    isUnderWay = true
    const stop = metrics.batchSeconds.startTimer({ topic: job })
    try {
      log.debug({ job, ...(await work()) }, 'done')
      metrics.messages.inc({ topic: job, outcome: 'done' })
      response.json({})
    } catch (error) {
      // The sidecar throws the answer away: this line is all that anybody hears of it.
      const why = error instanceof Refusal ? { reason: error.message } : { err: error }
      log.warn({ job, ...why }, 'a job failed, and will be tried again at its next time')
      metrics.messages.inc({ topic: job, outcome: 'again' })
      response.status(503).json({})
    } finally {
      stop()
      isUnderWay = false
    }
  })
}

/** `<time>~<id>`, as the contract has it. */
function placeIn(after: string): After {
  const [time = '', id = ''] = after.split('~')
  return { time, id }
}

/** One more than is shown was asked for: it tells whether something follows. */
function paged(found: readonly DayReport[], limit: number): ReportsPage {
  const reports = found.slice(0, limit)
  return { reports, next: found.length > limit ? (reports.at(-1)?.day ?? null) : null }
}
