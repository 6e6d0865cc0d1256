import { databaseEnv, listenerEnv, readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object({
  ...serviceEnv({ port: 8089, daprHttpPort: 3509 }),
  ...listenerEnv,
  ...databaseEnv,
  /** Milliseconds that the simulated provider needs where it is slow. */
  PAYMENT_SLOW_MS: z.coerce.number().int().min(0).max(3500).default(3000),
  /** Milliseconds after which it tells where it is late. */
  PAYMENT_LATE_MS: z.coerce.number().int().min(0).max(600_000).default(20_000),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
