import { type HttpParts, httpApp } from '@tideshop/kit/http'
import { Refusal } from '@tideshop/kit/refusal'
import express, { type Express, type Request, type Response } from 'express'
import type Provider from 'oidc-provider'
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
import { inOrderOfUse, type SigningKey, withNewKey } from './keys.ts'
import { signInPage } from './page.ts'
import { type Person, staff } from './people.ts'
import { openProvider, type ProviderParts } from './provider.ts'

/** People who have signed in since the start; the first are forgotten first, and sign in again. */
const PEOPLE_MAX = 10_000
/** Bytes of the form, which carries one number. */
const FORM_MAX = 1024

export type IssuerParts = HttpParts &
  Omit<ProviderParts, 'remember' | 'find' | 'adapter'> & { firstKeys: readonly SigningKey[] }

export type Issuer = {
  app: Express
  /** From now on this one is shown, and the one before it signs. */
  rotate: (key: SigningKey) => void
}

/** An OpenID Connect issuer for development: real tokens and real keys, and nobody is asked for a password. */
export function issuerApp(parts: IssuerParts): Issuer {
  const people = new Map<string, Person>()
  const known = { remember: rememberIn(people), find: (id: string) => staff.get(id) ?? people.get(id) }
  // A thousand entries at most.
  const adapter = createMemoryAdapter()
  let keys: SigningKey[] = []
  let provider: Provider
  function rotate(key: SigningKey): void {
    keys = withNewKey(keys, key, parts.tokenTtlS * 1000)
    provider = openProvider({ ...parts, ...known, adapter }, inOrderOfUse(keys))
  }
  for (const key of parts.firstKeys) rotate(key)

  async function whoIs({ registration, staff: post }: Record<string, unknown> = {}): Promise<Person> {
    return staff.get(String(post)) ?? parts.registered(String(registration ?? ''))
  }

  async function signIn(request: Request, response: Response): Promise<void> {
    const { uid, params } = await provider.interactionDetails(request, response)
    try {
      const person = await whoIs(request.body)
      known.remember(person)
      await provider.interactionFinished(request, response, { login: { accountId: person.id } })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const hint = String(request.body?.registration ?? params['login_hint'] ?? '')
      response
        .status(403)
        .type('html')
        .send(signInPage({ uid, hint, no: error.message }))
    }
  }

  const app = httpApp(parts, (routes) => {
    routes.use('/interaction', (_request, response, next) => {
      response.set({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
      next()
    })
    routes.get('/interaction/:uid', async (request, response) => {
      const { uid, params } = await provider.interactionDetails(request, response)
      response.type('html').send(signInPage({ uid, hint: String(params['login_hint'] ?? '') }))
    })
    routes.post('/interaction/:uid', express.urlencoded({ extended: false, limit: FORM_MAX }), signIn)
    routes.use((request, response) => provider.callback()(request, response))
  })
  return { app, rotate }
}

function rememberIn(people: Map<string, Person>): (person: Person) => void {
  return (person) => {
    people.delete(person.id)
    people.set(person.id, person)
    const [first] = people.keys()
    if (people.size > PEOPLE_MAX && first !== undefined) people.delete(first)
  }
}
