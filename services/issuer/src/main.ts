import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '@tideshop/kit/run'
import { createLog, createMetrics } from '@tideshop/kit/telemetry'
import { exportJWK, generateKeyPair } from 'jose'
import { issuerApp } from './app.ts'
import { readEnv } from './env.ts'
import type { SigningKey } from './keys.ts'
import { registrationsAt } from './registrations.ts'

const appId = 'issuer'
const env = readEnv(process.env)
const log = createLog(appId, env.LOG_LEVEL)

async function newKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'ES256', use: 'sig' }
  return { jwk, madeAt: Date.now() }
}

const { app, rotate } = issuerApp({
  log,
  metrics: createMetrics(appId),
  issuer: env.ISSUER,
  doorUrls: env.DOOR_URLS,
  tokenTtlS: env.TOKEN_TTL_S,
  registered: registrationsAt(env.SHOP_URL),
  cookieKey: randomBytes(32).toString('base64url'),
  firstKeys: [await newKey(), await newKey()],
  ready: async () => {},
})

log.warn('this issuer is for development only: it asks nobody for a password')

await run({
  app,
  port: env.PORT,
  host: env.HOST,
  log,
  work: async (stop) => {
    while (!stop.aborted) {
      await sleep(env.KEY_EVERY_S * 1000, undefined, { signal: stop }).catch(() => undefined)
      if (!stop.aborted) rotate(await newKey())
    }
  },
  close: async () => {},
})
