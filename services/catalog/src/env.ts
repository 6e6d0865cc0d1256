import { databaseEnv, listenerEnv, readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object({
  ...serviceEnv({ port: 8084, daprHttpPort: 3504 }),
  ...listenerEnv,
  ...databaseEnv,
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
