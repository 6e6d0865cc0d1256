import { databaseEnv, readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object({
  ...serviceEnv({ port: 8091, daprHttpPort: 3511 }),
  ...databaseEnv,
  /** Goods with less free pieces than this are in the restock report. */
  LOW_STOCK_BELOW: z.coerce.number().int().min(1).max(100_000).default(10),
  /** Milliseconds that a job waits for a service that sleeps at zero replicas. Nobody waits for the job. */
  WAKE_WAIT_MS: z.coerce.number().int().min(0).max(13_000).default(10_000),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
