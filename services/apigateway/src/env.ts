import { readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'
import type { AccountSettings } from './accounts.ts'
import { defaultLimits } from './limits.ts'

/** Any OpenID Connect issuer. Empty: nobody has an account, and all are guests. */
const issuerEnv = {
  OIDC_ISSUER: z.union([z.literal(''), z.url()]).default(''),
  /** Where the door finds the metadata of the issuer, if it goes another way than browsers do. */
  OIDC_DISCOVERY_URL: z.url().optional(),
  /** Whom the access tokens of programs are for. */
  OIDC_AUDIENCE: z.string().min(1).default('urn:tideshop'),
  OIDC_CLIENT_ID: z.string().min(1).default('tideshop'),
  /** Of a client that has one. */
  OIDC_CLIENT_SECRET: z.string().min(1).optional(),
  /** Name of the claim with the roles, or the way down to it: `realm_access.roles`. */
  OIDC_ROLES_CLAIM: z.string().min(1).default('roles'),
}

const perS = z.coerce.number().positive().max(1_000_000)
const burst = z.coerce.number().int().min(1).max(1_000_000)
/** Requests, of one who asks at one replica of the door (limits.ts). */
const limitsEnv = {
  CHANGES_PER_S: perS.default(defaultLimits.changes.perS),
  CHANGES_BURST: burst.default(defaultLimits.changes.burst),
  SIGN_INS_PER_S: perS.default(defaultLimits.signIns.perS),
  SIGN_INS_BURST: burst.default(defaultLimits.signIns.burst),
}

const schema = z.object({
  ...serviceEnv({ port: 8080, daprHttpPort: 3500 }),
  /** TCP port of the sidecar for calls by gRPC. */
  DAPR_GRPC_PORT: z.coerce.number().int().default(13500),
  /** Milliseconds that a caller waits for a service that sleeps at zero replicas; less than a drain takes (kit/run). */
  WAKE_WAIT_MS: z.coerce.number().int().min(0).max(13_000).default(0),
  /** TCP port at which KEDA is told who has to wake (scaler.ts). Nobody is told without it. */
  WAKES_PORT: z.coerce.number().int().optional(),
  /** A name that has the address of every door (others.ts): there WAKES_PORT is told what this one sees. None: this is the only door. */
  DOORS_HOST: z.string().min(1).optional(),
  /** Proxies before the door that say for whom they ask (`X-Forwarded-For`): sign-ins are counted by address. */
  PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  ...issuerEnv,
  ...limitsEnv,
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}

export function accountSettings(env: Env): AccountSettings {
  return {
    issuer: env.OIDC_ISSUER,
    discoveryUrl: env.OIDC_DISCOVERY_URL,
    audience: env.OIDC_AUDIENCE,
    clientId: env.OIDC_CLIENT_ID,
    clientSecret: env.OIDC_CLIENT_SECRET,
    rolesClaim: env.OIDC_ROLES_CLAIM,
  }
}
