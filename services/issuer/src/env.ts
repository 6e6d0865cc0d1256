import { readEnv as read } from '@tideshop/kit/env'
import { z } from 'zod'

const seconds = z.coerce.number().int().min(1)

const schema = z.object({
  PORT: z.coerce.number().int().default(8092),
  /** Loopback, unless it stands in a container that nobody reaches from outside. */
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Who it says it is, which is where browsers find it. */
  ISSUER: z.url().default('http://127.0.0.1:8092'),
  /** Where the shop's door is to be asked whether somebody is registered. */
  SHOP_URL: z.url().default('http://127.0.0.1:8080'),
  /** Where browsers find the door: the only places that they are sent back to. */
  DOOR_URLS: z
    .string()
    .default('http://127.0.0.1:8080,http://localhost:8080')
    .transform((urls) => urls.split(','))
    .pipe(z.array(z.url())),
  TOKEN_TTL_S: seconds.default(3600),
  KEY_EVERY_S: seconds.default(900),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
