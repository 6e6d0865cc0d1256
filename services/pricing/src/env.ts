import { readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object(serviceEnv({ port: 8086, daprHttpPort: 3506 }))

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
