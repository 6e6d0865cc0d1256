import { randomUUID } from 'node:crypto'
import { Refusal } from '@tideshop/kit/refusal'
import type { JWK } from 'jose'
import Provider, { type AdapterFactory, type Configuration, errors } from 'oidc-provider'
import { type Person, staff } from './people.ts'
import type { Registrations } from './registrations.ts'

/**
 * The protocol, which is all of `oidc-provider` (docs/decisions/0016). Its keys are given once, so each new key makes a new
 * provider; what they have in common (who is about to sign in, sessions, codes) is one store, which is handed to each of them.
 */

/** For whom access tokens are: the door's OIDC_AUDIENCE. */
export const AUDIENCE = 'urn:tideshop'
/** The door's OIDC_CLIENT_ID. */
export const DOOR_CLIENT = 'tideshop'
/** Programs of the shop's staff get their token by it: it stands in the README, so it proves nothing. */
export const STAFF_SECRET = 'for-development-only'
/** `grant_type` with which a script gets the token of a registered customer. */
export const REGISTRATION_GRANT = 'urn:tideshop:registration'

const SIGNED_BY = 'ES256'
const SESSION_TTL_S = 8 * 3600
const SIGN_IN_TTL_S = 600
const CODE_TTL_S = 60

export type ProviderParts = {
  issuer: string
  doorUrls: readonly string[]
  tokenTtlS: number
  registered: Registrations
  /** Keeps who signs in, so that `find` knows the claims. */
  remember: (person: Person) => void
  find: (id: string) => Person | undefined
  cookieKey: string
  /** That store. By itself each provider makes one of its own, and a new key throws out whoever was signing in. */
  adapter: AdapterFactory
}

export function openProvider(parts: ProviderParts, keys: readonly JWK[]): Provider {
  const provider = new Provider(parts.issuer, { ...configuration(parts, keys), adapter: parts.adapter })
  provider.registerGrantType<{ registration?: string }>(
    REGISTRATION_GRANT,
    async (ctx) => {
      const person = await parts.registered(String(ctx.oidc.params.registration)).catch((thrown) => {
        throw thrown instanceof Refusal
          ? new errors.CustomOIDCProviderError('invalid_grant', thrown.message)
          : thrown
      })
      parts.remember(person)
      const token = new provider.AccessToken({
        accountId: person.id,
        client: ctx.oidc.client,
        gty: REGISTRATION_GRANT,
        grantId: randomUUID(),
        scope: '',
      })
      token.resourceServer = new provider.ResourceServer(AUDIENCE, resource(parts.tokenTtlS))
      const access_token = await token.save()
      ctx.body = { access_token, expires_in: token.expiration, token_type: token.tokenType }
    },
    'registration',
  )
  // What a browser is sent to stands where browsers find it, whoever asks: the door may know another way here.
  provider.use(async (ctx, next) => {
    await next()
    if (ctx['oidc']?.route !== 'discovery') return
    const found = ctx.body as Record<string, string>
    for (const place of ['authorization_endpoint', 'end_session_endpoint'])
      found[place] = new URL(new URL(String(found[place])).pathname, parts.issuer).href
  })
  return provider
}

function configuration(parts: ProviderParts, keys: readonly JWK[]): Configuration {
  const { doorUrls, tokenTtlS, find, cookieKey } = parts
  return {
    jwks: { keys: [...keys] },
    clients: [
      {
        client_id: DOOR_CLIENT,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', REGISTRATION_GRANT],
        redirect_uris: doorUrls.map((url) => new URL('/sign-in/return', url).href),
        post_logout_redirect_uris: doorUrls.map((url) => new URL('/', url).href),
      },
      ...[...staff.keys()].map((client_id) => ({
        client_id,
        client_secret: STAFF_SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
    ],
    clientDefaults: { id_token_signed_response_alg: SIGNED_BY },
    pkce: { required: () => true },
    claims: { openid: ['sub', 'name', 'roles'] },
    // Or the name would be told only to who asks for it once more.
    conformIdTokenClaims: false,
    cookies: {
      keys: [cookieKey],
      names: { session: 'issuer-session', interaction: 'issuer-sign-in', resume: 'issuer-resume' },
    },
    ttl: {
      IdToken: tokenTtlS,
      AccessToken: tokenTtlS,
      ClientCredentials: tokenTtlS,
      AuthorizationCode: CODE_TTL_S,
      Session: SESSION_TTL_S,
      Grant: SESSION_TTL_S,
      Interaction: SIGN_IN_TTL_S,
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => resource(tokenTtlS),
        useGrantedResource: () => true,
      },
    },
    // The shop asks for its own people, who need not agree to it.
    async loadExistingGrant({ oidc: { provider, client, session } }) {
      const known = session?.grantIdFor(String(client?.clientId))
      const found = known === undefined ? undefined : await provider.Grant.find(known)
      if (found !== undefined) return found
      const grant = new provider.Grant({
        ...(client && { clientId: client.clientId }),
        ...(session?.accountId && { accountId: session.accountId }),
      })
      grant.addOIDCScope('openid')
      await grant.save()
      return grant
    },
    async findAccount(_ctx, id) {
      const person = find(id)
      if (person === undefined) return undefined
      return { accountId: id, claims: async () => ({ sub: id, name: person.name, roles: [...person.roles] }) }
    },
    async extraTokenClaims(_ctx, token) {
      const person = find('accountId' in token ? String(token.accountId) : String(token.clientId))
      return person && { name: person.name, roles: [...person.roles] }
    },
  }
}

function resource(accessTokenTTL: number) {
  const jwt = { sign: { alg: SIGNED_BY } } as const
  return { scope: '', audience: AUDIENCE, accessTokenTTL, accessTokenFormat: 'jwt' as const, jwt }
}
