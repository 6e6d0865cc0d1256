import { basketsThrough } from '@tideshop/clients/baskets'
import { catalogThrough } from '@tideshop/clients/catalog'
import { ordersThrough } from '@tideshop/clients/orders'
import { pricesThrough } from '@tideshop/clients/prices'
import { grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { daprInvoke } from '@tideshop/kit/invoke'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { storefrontApp } from './app.ts'
import { readEnv } from './env.ts'

const appId = 'storefront'
const env = readEnv(process.env)
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const grpcSidecar = grpcSidecarOn(env.DAPR_GRPC_PORT)
const invoke = daprInvoke(sidecar)

const app = storefrontApp({
  log,
  metrics: createMetrics(appId),
  catalog: catalogThrough(invoke, env.WAKE_WAIT_MS),
  baskets: basketsThrough(invoke, env.WAKE_WAIT_MS),
  orders: ordersThrough(invoke, env.WAKE_WAIT_MS),
  prices: pricesThrough(grpcSidecar, env.WAKE_WAIT_MS),
  now: () => new Date(),
  ready: () => sidecar.ready(),
})

await run({
  app,
  port: env.PORT,
  log,
  close: () => {
    grpcSidecar.close()
    return sidecar.close()
  },
})
