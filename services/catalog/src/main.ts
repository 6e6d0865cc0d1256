import { armCrash } from '@tideshop/kit/crash-point'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { catalogApp } from './app.ts'
import { assortment, categories, weeklySales } from './assortment.ts'
import { readEnv } from './env.ts'
import { mongoCatalog } from './store.ts'

const appId = 'catalog'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const now = () => new Date()
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI)
const db = client.db(appId)
const catalog = mongoCatalog(db)

await catalog.prepare()
await catalog.open(assortment, weeklySales(now()))

await run({
  app: catalogApp({
    log,
    metrics: createMetrics(appId),
    sidecar,
    catalog,
    categories,
    now,
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
