import { pricesThrough } from '@tideshop/clients/prices'
import { orderStock } from '@tideshop/contracts/orders'
import { daprBindings } from '@tideshop/kit/binding'
import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { connectMongo, pingDatabase } from '@tideshop/kit/mongo'
import { outboxOf } from '@tideshop/kit/outbox'
import { roadTo } from '@tideshop/kit/road'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { ordersApp } from './app.ts'
import { readEnv } from './env.ts'
import { mongoOrders } from './store.ts'

const appId = 'orders'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const now = () => new Date()
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const grpcSidecar = grpcSidecarOn(env.DAPR_GRPC_PORT)
const bus = daprBus(sidecar, log, metrics)
const client = await connectMongo(env.MONGODB_URI, log)
const db = client.db(appId)
const orders = mongoOrders(db)
const outbox = outboxOf(orders.outbox, bus, log, now)

// Without its unique key an idempotency key would promise what it cannot hold.
await orders.prepare()

await run({
  app: ordersApp({
    appId,
    log,
    metrics,
    bus,
    orders,
    outbox,
    road: roadTo(orderStock.topic, appId, bus, now),
    prices: pricesThrough(grpcSidecar, env.WAKE_WAIT_MS),
    bindings: daprBindings(sidecar),
    payWithinMs: env.ORDER_PAY_WITHIN_MS,
    now,
    batchWaitMs: env.BATCH_WAIT_MS,
    ready: async () => {
      await Promise.all([sidecar.ready(), pingDatabase(db)])
    },
  }),
  port: env.PORT,
  log,
  work: (stop) => outbox.sweep(stop),
  close: async () => {
    await outbox.idle()
    grpcSidecar.close()
    await Promise.all([sidecar.close(), client.close()])
  },
})
