import { daprInvoke } from '@tideshop/kit/invoke'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { jobsApp } from './app.ts'
import { readEnv } from './env.ts'
import { shopThrough } from './shop.ts'
import { mongoReports } from './store.ts'

const appId = 'jobs'
const env = readEnv(process.env)
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI)
const db = client.db(appId)

await run({
  app: jobsApp({
    log,
    metrics: createMetrics(appId),
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
