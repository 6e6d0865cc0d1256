import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { basketApp } from './app.ts'
import { readEnv } from './env.ts'
import { daprBaskets } from './store.ts'

const appId = 'basket'
const env = readEnv(process.env)
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)

await run({
  app: basketApp({
    log,
    metrics: createMetrics(appId),
    baskets: daprBaskets(sidecar, env.BASKET_TTL_S),
    ttlS: env.BASKET_TTL_S,
    ready: () => sidecar.ready(),
  }),
  port: env.PORT,
  log,
  close: () => sidecar.close(),
})
