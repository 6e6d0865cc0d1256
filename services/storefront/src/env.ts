import { readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object({
  ...serviceEnv({ port: 8090, daprHttpPort: 3510 }),
  /** TCP port of the sidecar for calls by gRPC. */
  DAPR_GRPC_PORT: z.coerce.number().int().default(13510),
  /** Milliseconds that a page waits for a service that sleeps at zero replicas; less than a drain takes (kit/run). */
  WAKE_WAIT_MS: z.coerce.number().int().min(0).max(13_000).default(0),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
