import { daprBindings } from '@tideshop/kit/binding'
import { armCrash } from '@tideshop/kit/crash-point'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { invoicesApp } from './app.ts'
import { readEnv } from './env.ts'
import { mongoInvoices } from './store.ts'

const appId = 'invoices'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)
const invoices = mongoInvoices(db)

await invoices.prepare()

await run({
  app: invoicesApp({
    appId,
    log,
    metrics: createMetrics(appId),
    bindings: daprBindings(sidecar),
    invoices,
    workMs: env.INVOICE_WORK_MS,
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
