import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { daprInvoke } from '@tideshop/kit/invoke'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { DEAD_LETTERS, quarantineThrough } from '@tideshop/kit/quarantine'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { jobsApp } from './app.ts'
import { readEnv } from './env.ts'
import { failuresIn } from './failures.ts'
import { shopThrough } from './shop.ts'
import { mongoFailures, mongoReports } from './store.ts'

const appId = 'jobs'
/** Milliseconds. Nobody waits for a dead letter, and so long suits any daprd (docs/dapr-notes.md). */
const BATCH_WAIT_MS = 500
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)
const bus = daprBus(sidecar, log, metrics, DEAD_LETTERS)
const failures = mongoFailures(db)
await failures.prepare()

await run({
  app: jobsApp({
    log,
    appId,
    metrics,
    bus,
    batchWaitMs: BATCH_WAIT_MS,
    failures: failuresIn(failures),
    quarantine: quarantineThrough(sidecar, bus, appId),
    shop: shopThrough(daprInvoke(sidecar), env.WAKE_WAIT_MS),
    reports: mongoReports(db),
    lowBelow: env.LOW_STOCK_BELOW,
    now: () => new Date(),
    ready: async () => {
      await Promise.all([sidecar.ready(), pingDatabase(db)])
    },
  }),
  port: env.PORT,
  log,
  close: async () => {
    await Promise.all([sidecar.close(), client.close()])
  },
})
