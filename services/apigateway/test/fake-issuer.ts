import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, type JWK, SignJWT } from 'jose'

export type SigningKey = { kid: string; privateKey: KeyObject; publicKey: KeyObject; jwk: JWK }

type Code = { subject: string; nonce: string; challenge: string; redirectUri: string }

/** An OpenID Connect issuer in memory: whoever comes signs in at once, as `state.subject`. */
export async function fakeIssuer() {
  const keys: SigningKey[] = [await newKey()]
  const codes = new Map<string, Code>()
  const state = { subject: 'hans', claims: {} as object, fetched: 0 }
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(String(request.url), url)
    const say = (body: object, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (pathname === '/.well-known/openid-configuration') return say(metadata(url))
    if (pathname === '/jwks') {
      state.fetched += 1
      return say({ keys: keys.map(({ jwk }) => jwk) })
    }
    if (pathname === '/auth') {
      const asked = Object.fromEntries(searchParams)
      const code = randomUUID()
      const { nonce = '', code_challenge: challenge = '', redirect_uri: redirectUri = '' } = asked
      codes.set(code, { subject: state.subject, nonce, challenge, redirectUri })
      const back = new URL(redirectUri)
      back.search = String(new URLSearchParams({ code, state: String(asked['state']), iss: url }))
      return response.writeHead(303, { location: back.href }).end()
    }
    const form = new URLSearchParams(await text(request))
    const known = codes.get(String(form.get('code')))
    codes.delete(String(form.get('code')))
    const proof = createHash('sha256')
      .update(String(form.get('code_verifier')))
      .digest('base64url')
    if (known?.challenge !== proof || known.redirectUri !== form.get('redirect_uri'))
      return say({ error: 'invalid_grant' }, 400)
    const claims = { nonce: known.nonce, name: 'Hans', ...state.claims }
    const id_token = await token({ sub: known.subject, aud: CLIENT, ...claims })
    return say({ access_token: 'x', token_type: 'Bearer', id_token })
  })
  const url = await listeningAt(server)

  /** As the issuer would sign it, but for what a test wants otherwise. */
  async function token(
    claims: object = {},
    key: SigningKey = keys[0] as SigningKey,
    ttlS = 300,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const whole = { iss: url, aud: AUDIENCE, sub: 'hans', iat: now, exp: now + ttlS, ...claims }
    return new SignJWT(whole).setProtectedHeader({ alg: 'ES256', kid: key.kid }).sign(key.privateKey)
  }

  return {
    url,
    state,
    token,
    keys,
    async rotate() {
      keys.unshift(await newKey())
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

export const AUDIENCE = 'urn:tideshop'
export const CLIENT = 'tideshop'

export async function newKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  return {
    kid,
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
  }
}

function metadata(issuer: string) {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    end_session_endpoint: `${issuer}/end`,
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
  }
}

async function listeningAt(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
