import { Refusal } from '@tideshop/kit/refusal'
import type { Log } from '@tideshop/kit/telemetry'
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { z } from 'zod'
import { accountIdOf } from './customer.ts'
import { type Permission, permissionsOf, rolesIn } from './permissions.ts'

/**
 * What the issuer says of people, in tokens that it signed. The door keeps no session: a browser keeps the ID token, a program
 * its access token, and each replica of the door can read both by the issuer's public keys. So nothing is lost with a replica,
 * and somebody whom the issuer has forgotten is in for as long as his token runs.
 *
 * The two are for different readers, and neither passes for the other: `audience` and `clientId`.
 */
export type Account = {
  customerId: string
  name: string
  permissions: ReadonlySet<Permission>
}

export type Accounts = {
  /** Of a bearer token. Throws a `Refusal` for one that the issuer did not sign for us, or not for now. */
  ofToken: (token: string) => Promise<Account>
  /** Of the cookie of a browser. */
  ofSession: (session: string) => Promise<Account>
  /** Where the browser goes, and what the door has to know when it comes back. `hint`: who is likely to sign in. */
  begin: (redirectUri: string, hint?: string) => Promise<{ url: URL; pending: PendingSignIn }>
  /** `came`: the whole address at which the browser came back. */
  finish: (
    came: URL,
    pending: PendingSignIn,
  ) => Promise<{ session: string; expiresS: number; account: Account }>
  /** Where the browser goes to be forgotten by the issuer, too; null where that is not to be had. */
  end: (session: string, home: string) => Promise<URL | null>
}

/** Kept by the browser that signs in, so that no other can finish it. */
export const pendingSignIn = z.strictObject({ state: z.string(), nonce: z.string(), verifier: z.string() })
export type PendingSignIn = z.infer<typeof pendingSignIn>

export type AccountSettings = {
  issuer: string
  /** Where the door finds the issuer's metadata, if that is another way than the browsers'. */
  discoveryUrl?: string | undefined
  audience: string
  clientId: string
  clientSecret?: string | undefined
  rolesClaim: string
}

/** Only such by which nobody can sign who can verify. */
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA']
/** Seconds by which two clocks may differ. */
const CLOCK_TOLERANCE_S = 5
/** Milliseconds for the issuer to answer. */
const ISSUER_TIMEOUT_MS = 3000
/** Milliseconds after which the keys are fetched anew, while those that are known go on: so one that was withdrawn is out by then. */
const KEYS_FRESH_MS = 600_000
/** Milliseconds between two looks for a key that is not known: a new one counts at once, and rubbish does not hammer the issuer. */
const KEYS_AGAIN_MS = 1000

export function accountsOf(settings: AccountSettings, log: Log): Accounts {
  const issuer = issuerOf(settings, log)

  async function verified(token: string, audience: string): Promise<z.infer<typeof claims>> {
    const key = await issuer.keys()
    const { payload } = await jwtVerify(token, key, {
      issuer: settings.issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['sub', 'exp'],
    }).catch((error: Error) => {
      throw error instanceof errors.JOSEError ? new Refusal('unauthenticated', refusalText(error)) : error
    })
    return claims.parse(payload)
  }

  async function account(token: string, audience: string): Promise<Account & { expiresS: number }> {
    const told = await verified(token, audience)
    return {
      customerId: accountIdOf(settings.issuer, told.sub),
      name: (told.name ?? told.preferred_username ?? 'you').slice(0, NAME_MAX),
      permissions: permissionsOf(rolesIn(told, settings.rolesClaim)),
      expiresS: told.exp,
    }
  }

  return {
    ofToken: (token) => account(token, settings.audience),
    ofSession: (session) => account(session, settings.clientId),

    async begin(redirectUri, hint) {
      const pending = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
      }
      const url = oidc.buildAuthorizationUrl(await issuer.client(), {
        redirect_uri: redirectUri,
        scope: 'openid profile',
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
        ...(hint !== undefined && { login_hint: hint }),
      })
      return { url, pending }
    },

    async finish(came, { state, nonce, verifier }) {
      const checks = {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      }
      const told = await oidc
        .authorizationCodeGrant(await issuer.client(), came, checks)
        .catch((error: Error) => {
          log.info({ err: error }, 'a sign-in did not succeed')
          throw new Refusal('invalid', 'the sign-in did not succeed: begin it again')
        })
      const session = String(told.id_token)
      const { expiresS, ...signedIn } = await account(session, settings.clientId)
      return { session, expiresS, account: signedIn }
    },

    async end(session, home) {
      const client = await issuer.client()
      if (client.serverMetadata().end_session_endpoint === undefined) return null
      return oidc.buildEndSessionUrl(client, { id_token_hint: session, post_logout_redirect_uri: home })
    },
  }
}

/** Characters of a name; the storefront takes no longer one. */
const NAME_MAX = 200

const claims = z.looseObject({
  sub: z.string().min(1),
  exp: z.number(),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
})

function refusalText(error: errors.JOSEError): string {
  return error instanceof errors.JWTExpired
    ? 'the token is over'
    : 'the token is not one that the issuer signed for this'
}

/** What the door knows of the issuer: nothing at its start, so that it opens while the issuer is away. */
function issuerOf(
  settings: AccountSettings,
  log: Log,
): {
  client: () => Promise<oidc.Configuration>
  keys: () => Promise<JWTVerifyGetKey>
} {
  const { clientId, clientSecret } = settings
  const client = kept(async () => {
    const metadata = await metadataOf(settings)
    const proof = clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret)
    const configuration = new oidc.Configuration(metadata, clientId, clientSecret, proof)
    configuration.timeout = ISSUER_TIMEOUT_MS / 1000
    // On a laptop there is nobody in between. Where somebody could be, the issuer's address begins with https.
    if (metadata.token_endpoint?.startsWith('http:')) oidc.allowInsecureRequests(configuration)
    return configuration
  })
  const keys = kept(async () => {
    const { jwks_uri } = (await client()).serverMetadata()
    return keysAt(new URL(String(jwks_uri)), log)
  })
  const answered =
    <T>(ask: () => Promise<T>) =>
    () =>
      ask().catch((error: Error) => {
        log.warn({ err: error }, 'the issuer does not answer')
        throw new Refusal('unavailable', 'who says who people are does not answer')
      })
  return { client: answered(client), keys: answered(keys) }
}

async function metadataOf({ issuer, discoveryUrl }: AccountSettings): Promise<oidc.ServerMetadata> {
  const url = discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(url, { signal: AbortSignal.timeout(ISSUER_TIMEOUT_MS), redirect: 'error' })
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
  const metadata = issuerMetadata.parse(await response.json())
  if (metadata.issuer !== issuer) throw new Error(`at ${url} is ${metadata.issuer}, not ${issuer}`)
  return metadata as oidc.ServerMetadata
}

const issuerMetadata = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
})

/** Known keys keep working while the issuer is away. */
async function keysAt(url: URL, log: Log): Promise<JWTVerifyGetKey> {
  const set = createRemoteJWKSet(url, {
    timeoutDuration: ISSUER_TIMEOUT_MS,
    cooldownDuration: KEYS_AGAIN_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  })
  await set.reload()
  let fetchedAt = performance.now()

  function refresh(): void {
    fetchedAt = performance.now()
    set
      .reload()
      .catch((error: Error) => log.warn({ err: error }, 'the keys of the issuer cannot be fetched anew'))
  }

  return async (header, token) => {
    if (performance.now() - fetchedAt > KEYS_FRESH_MS) refresh()
    return set(header, token).catch((error: Error) => {
      if (error instanceof errors.JOSEError) throw error
      // A key that nobody knows, and nobody there to ask.
      throw new errors.JWKSNoMatchingKey()
    })
  }
}

/** Loaded once, by the first who asks; after a failure by the next. */
function kept<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | null = null
  return () => {
    loading ??= load().catch((error) => {
      loading = null
      throw error
    })
    return loading
  }
}
