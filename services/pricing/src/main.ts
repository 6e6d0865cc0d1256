import { once } from 'node:events'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { pricingApp, pricingGrpc } from './app.ts'
import { readEnv } from './env.ts'
import { OFFERS } from './offers.ts'

const appId = 'pricing'
const env = readEnv(process.env)
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const leaving = new AbortController()

const parts = {
  log,
  metrics: createMetrics(appId),
  offers: OFFERS,
  now: () => new Date(),
  leaving: leaving.signal,
  ready: () => sidecar.ready(),
}

await run({
  app: pricingApp(parts),
  grpc: pricingGrpc(parts),
  port: env.PORT,
  log,
  work: async (stop) => {
    await once(stop, 'abort')
    leaving.abort()
  },
  close: () => sidecar.close(),
})
