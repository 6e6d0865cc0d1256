import { randomUUIDv7 } from 'node:crypto'
import { userCreate } from '@tideshop/contracts/operations'
import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { outboxOf } from '@tideshop/kit/outbox'
import { roadTo } from '@tideshop/kit/road'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { operationsApp } from './app.ts'
import { readEnv } from './env.ts'
import { mongoOperations } from './store.ts'

const appId = 'operations'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const now = () => new Date()
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const bus = daprBus(sidecar, log, metrics)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)
const operations = mongoOperations(db)
const outbox = outboxOf(operations.outbox, bus, log, now)

// Without its unique key an idempotency key would promise what it cannot hold.
await operations.prepare()

await run({
  app: operationsApp({
    appId,
    log,
    metrics,
    bus,
    operations,
    outbox,
    road: roadTo(userCreate.topic, appId, bus, now),
    now,
    batchWaitMs: env.BATCH_WAIT_MS,
    newId: () => randomUUIDv7(),
    ready: async () => {
      await Promise.all([sidecar.ready(), pingDatabase(db)])
    },
  }),
  port: env.PORT,
  log,
  work: (stop) => outbox.sweep(stop),
  close: async () => {
    await outbox.idle()
    await Promise.all([sidecar.close(), client.close()])
  },
})
