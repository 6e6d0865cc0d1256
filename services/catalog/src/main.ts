import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { catalogApp } from './app.ts'
import { assortment, categories, weeklySales } from './assortment.ts'
import { readEnv } from './env.ts'
import { stockTurns } from './stock-turns.ts'
import { mongoAllocations, mongoAllowances, mongoCatalog } from './store.ts'

const appId = 'catalog'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const now = () => new Date()
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)
const catalog = mongoCatalog(db)

await catalog.prepare()
await catalog.open(assortment, weeklySales(now()))

await run({
  app: catalogApp({
    appId,
    log,
    metrics,
    sidecar,
    bus: daprBus(sidecar, log, metrics),
    catalog,
    categories,
    allocations: mongoAllocations(db),
    allowances: mongoAllowances(db),
    askStock: stockTurns(sidecar),
    now,
    batchWaitMs: env.BATCH_WAIT_MS,
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
