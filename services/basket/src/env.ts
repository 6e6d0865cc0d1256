import { readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const DAY_S = 24 * 3600

const schema = z.object({
  ...serviceEnv({ port: 8085, daprHttpPort: 3505 }),
  /** Seconds after its last change until a basket is forgotten; browsers keep a cookie for 400 days at most. */
  BASKET_TTL_S: z.coerce
    .number()
    .int()
    .min(1)
    .max(400 * DAY_S)
    .default(30 * DAY_S),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
