import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { type PaymentsParts, paymentsApp, sweep } from './app.ts'
import { readEnv } from './env.ts'
import { simulatedProvider } from './simulated-provider.ts'
import { mongoLedger, mongoPayments } from './store.ts'

const appId = 'payments'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const now = () => new Date()
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)
const payments = mongoPayments(db)
await payments.prepare()

const parts: PaymentsParts = {
  appId,
  log,
  metrics,
  bus: daprBus(sidecar, log, metrics),
  payments,
  provider: simulatedProvider({
    ledger: mongoLedger(db),
    slowMs: env.PAYMENT_SLOW_MS,
    lateMs: env.PAYMENT_LATE_MS,
    now,
  }),
  now,
  batchWaitMs: env.BATCH_WAIT_MS,
  ready: async () => {
    await Promise.all([sidecar.ready(), pingDatabase(db)])
  },
}

await run({
  app: paymentsApp(parts),
  port: env.PORT,
  log,
  work: (stop) => sweep(parts, stop),
  close: async () => {
    await Promise.all([sidecar.close(), client.close()])
  },
})
