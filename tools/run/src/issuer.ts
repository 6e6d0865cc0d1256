import path from 'node:path'
import type { Fleet } from './fleet.ts'
import type { Need } from './ports.ts'
import { answers } from './process.ts'
import type { Steps } from './steps.ts'

/**
 * Who says who people are, on a laptop: services/issuer. It has no sidecar, so it is no app of dapr.yaml, and the shop is open
 * without it. Whoever has an issuer of his own names it as the door does, by OIDC_ISSUER.
 */

const PORT = 8092
const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 20_000

/** As `report` names it. */
export const ISSUER_STEP = 'issuer'

/** `url` is empty where there is none, and nobody has an account. */
export type Issuer = { url: string; isOurs: boolean }

export function findIssuer(portOffset: number, isWanted = true): Issuer {
  const named = process.env['OIDC_ISSUER']
  if (!isWanted) return { url: '', isOurs: false }
  if (named) return { url: named, isOurs: false }
  return { url: `http://127.0.0.1:${PORT + portOffset}`, isOurs: true }
}

export function issuerNeeds({ url, isOurs }: Issuer): Need[] {
  return isOurs ? [{ port: Number(new URL(url).port), who: 'the issuer' }] : []
}

/** `env`: overrides. */
export type IssuerPlace = { fleet: Fleet; root: string; doorPort: number; env?: Record<string, string> }

/** `doorPort`: of the shop, which it asks for who is registered, and sends browsers back to. */
export async function startIssuer(
  { url, isOurs }: Issuer,
  { fleet, root, doorPort, env = {} }: IssuerPlace,
  steps: Steps,
): Promise<void> {
  if (!isOurs) return
  const issuer = fleet.define(
    {
      name: 'issuer',
      command: path.join(root, 'node_modules/.bin/node'),
      args: ['src/main.ts'],
      cwd: path.join(root, 'services/issuer'),
      env: {
        PORT: new URL(url).port,
        ISSUER: url,
        SHOP_URL: `http://127.0.0.1:${doorPort}`,
        DOOR_URLS: `http://127.0.0.1:${doorPort},http://localhost:${doorPort}`,
        ...env,
      },
      isReady: () => answers(`${url}/readyz`, 200),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: STOP_WITHIN_MS,
    },
    'service',
  )
  await steps.take(ISSUER_STEP, () => issuer.start())
}
