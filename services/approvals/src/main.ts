import { daprBus } from '@tideshop/kit/bus'
import { armCrash } from '@tideshop/kit/crash-point'
import { run } from '@tideshop/kit/run'
import { sidecarOn } from '@tideshop/kit/sidecar'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { approvalsApp } from './app.ts'
import { readDenyList } from './approval.ts'
import { readEnv } from './env.ts'

const appId = 'approvals'
const env = readEnv(process.env)
armCrash(env.CRASH_AT)
const log = createLog(appId, env.LOG_LEVEL)
const metrics = createMetrics(appId)
const sidecar = sidecarOn(env.DAPR_HTTP_PORT)

const app = approvalsApp({
  appId,
  log,
  metrics,
  bus: daprBus(sidecar, log, metrics),
  denied: readDenyList(env.APPROVAL_DENIED_NAMES),
  workMs: env.APPROVAL_WORK_MS,
  now: () => new Date(),
  batchWaitMs: env.BATCH_WAIT_MS,
  ready: () => sidecar.ready(),
})

await run({ app, port: env.PORT, log, close: () => sidecar.close() })
