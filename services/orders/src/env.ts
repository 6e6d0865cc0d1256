import { databaseEnv, listenerEnv, readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'
import { PAY_WITHIN_MAX_MS } from './order.ts'

const schema = z.object({
  ...serviceEnv({ port: 8088, daprHttpPort: 3508 }),
  ...listenerEnv,
  ...databaseEnv,
  /** TCP port of the sidecar for calls by gRPC. */
  DAPR_GRPC_PORT: z.coerce.number().int().default(13508),
  /** Milliseconds that a message waits for a pricing that sleeps at zero replicas, before it comes again; less than a drain takes (kit/run). */
  WAKE_WAIT_MS: z.coerce.number().int().min(0).max(13_000).default(0),
  /** Milliseconds from the order to its payment; what is unpaid then expires. */
  ORDER_PAY_WITHIN_MS: z.coerce
    .number()
    .int()
    .min(1000)
    .max(PAY_WITHIN_MAX_MS)
    .default(15 * 60_000),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
