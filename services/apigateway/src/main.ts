import { randomUUIDv7 } from 'node:crypto'
import { basketsThrough } from '@tideshop/clients/baskets'
import { catalogThrough } from '@tideshop/clients/catalog'
import { failuresThrough } from '@tideshop/clients/failures'
import { operationsThrough } from '@tideshop/clients/operations'
import { ordersThrough } from '@tideshop/clients/orders'
import { pricesThrough } from '@tideshop/clients/prices'
import { reportsThrough } from '@tideshop/clients/reports'
import { stockThrough } from '@tideshop/clients/stock'
import { PAGE_TIMEOUT_MS, storefrontThrough } from '@tideshop/clients/storefront'
import { grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { daprInvoke } from '@tideshop/kit/invoke'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { accountsOf } from './accounts.ts'
import { gatewayApp } from './app.ts'
import { Demand, watched } from './demand.ts'
import { accountSettings, readEnv } from './env.ts'
import { doorsNamed, OtherDoors } from './others.ts'
import { serveScaler } from './scaler.ts'
import { settingsThrough } from './settings.ts'

const appId = 'apigateway'
const env = readEnv(process.env)
const { WAKES_PORT: wakesPort, DOORS_HOST: doorsHost } = env
const log = createLog(appId, env.LOG_LEVEL)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)
const grpcSidecar = grpcSidecarOn(env.DAPR_GRPC_PORT)
const metrics = createMetrics(appId)
const others = new OtherDoors(
  doorsHost === undefined || wakesPort === undefined ? async () => [] : doorsNamed(doorsHost, wakesPort),
  log,
)
const demand = new Demand((sign) => void others.tell(sign))
const invoke = watched(daprInvoke(sidecar), demand)
// Not of what lies behind: a door that waits for sleeping services would never open.
const ready = () => sidecar.ready()

const app = gatewayApp({
  log,
  metrics,
  operations: operationsThrough(invoke, env.WAKE_WAIT_MS),
  catalog: catalogThrough(invoke, env.WAKE_WAIT_MS),
  baskets: basketsThrough(invoke, env.WAKE_WAIT_MS),
  orders: ordersThrough(invoke, env.WAKE_WAIT_MS),
  prices: pricesThrough(grpcSidecar, env.WAKE_WAIT_MS, (name) => demand.see(`call ${name}`)),
  reports: reportsThrough(invoke, env.WAKE_WAIT_MS),
  failures: failuresThrough(invoke, env.WAKE_WAIT_MS),
  stock: stockThrough(sidecar, env.WAKE_WAIT_MS),
  ...(env.OIDC_ISSUER !== '' && { accounts: accountsOf(accountSettings(env), log) }),
  limits: {
    changes: { perS: env.CHANGES_PER_S, burst: env.CHANGES_BURST },
    signIns: { perS: env.SIGN_INS_PER_S, burst: env.SIGN_INS_BURST },
  },
  proxies: env.PROXIES,
  storefront: storefrontThrough(watched(daprInvoke(sidecar, PAGE_TIMEOUT_MS), demand), env.WAKE_WAIT_MS),
  settings: settingsThrough(sidecar),
  newId: () => randomUUIDv7(),
  now: () => new Date(),
  ready,
})

await run({
  app,
  port: env.PORT,
  log,
  ...(wakesPort !== undefined && {
    work: (leaving: AbortSignal) => serveScaler({ log, metrics, ready, demand, leaving }, wakesPort),
  }),
  close: () => {
    others.close()
    grpcSidecar.close()
    return sidecar.close()
  },
})
