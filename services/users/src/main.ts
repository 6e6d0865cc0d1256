import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { usersApp } from './app.ts'
import { readEnv } from './env.ts'
import { mongoUsers } from './store.ts'

const appId = 'users'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)

const app = usersApp({
  appId,
  log,
  metrics,
  bus: daprBus(sidecar, log, metrics),
  users: mongoUsers(db),
  now: () => new Date(),
  batchWaitMs: env.BATCH_WAIT_MS,
  ready: async () => {
    await Promise.all([sidecar.ready(), pingDatabase(db)])
  },
})

await run({
  app,
  port: env.PORT,
  log,
  close: async () => {
    await Promise.all([sidecar.close(), client.close()])
  },
})
