import type { Express } from 'express'
import { type Logger, pino } from 'pino'
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export type Log = Logger

/** JSON lines on stdout; `app` names the speaker. */
export function createLog(appId: string, level: string): Log {
  return pino({ level, base: { app: appId }, timestamp: pino.stdTimeFunctions.isoTime })
}

export type Metrics = {
  registry: Registry
  /** Messages by what became of them: `done`, `again` (the sidecar delivers it once more) or `dead`. */
  messages: Counter<'topic' | 'outcome'>
  /** Seconds from a batch's arrival to its answer. */
  batchSeconds: Histogram<'topic'>
  /** Messages in one batch. */
  batchSize: Histogram<'topic'>
  /** Events handed to the sidecar: `sent` or `failed`. */
  published: Counter<'topic' | 'outcome'>
  /** Seconds of an HTTP request by its route pattern, never by its path. */
  requestSeconds: Histogram<'method' | 'route' | 'status'>
  /** Seconds of a gRPC call to its last message, by gRPC's name of its end: `OK`, `INVALID_ARGUMENT` … */
  rpcSeconds: Histogram<'rpc' | 'code'>
}

export function createMetrics(appId: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ app: appId })
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  return {
    registry,
    messages: new Counter({
      name: 'tideshop_messages_total',
      help: 'Messages by outcome',
      labelNames: ['topic', 'outcome'],
      registers,
    }),
    batchSeconds: new Histogram({
      name: 'tideshop_batch_seconds',
      help: 'Seconds from the arrival of a batch to its answer',
      labelNames: ['topic'],
      buckets: seconds,
      registers,
    }),
    batchSize: new Histogram({
      name: 'tideshop_batch_messages',
      help: 'Messages in one batch',
      labelNames: ['topic'],
      buckets: [1, 3, 10, 30, 100, 300, 1000],
      registers,
    }),
    published: new Counter({
      name: 'tideshop_published_total',
      help: 'Events handed to the sidecar by outcome',
      labelNames: ['topic', 'outcome'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'tideshop_request_seconds',
      help: 'Seconds of an HTTP request by route',
      labelNames: ['method', 'route', 'status'],
      buckets: seconds,
      registers,
    }),
    rpcSeconds: new Histogram({
      name: 'tideshop_rpc_seconds',
      help: 'Seconds of a gRPC call by its end',
      labelNames: ['rpc', 'code'],
      buckets: seconds,
      registers,
    }),
  }
}

/** `GET /metrics` for Prometheus. */
export function exposeMetrics(app: Express, { registry }: Metrics): void {
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics())
  })
}
