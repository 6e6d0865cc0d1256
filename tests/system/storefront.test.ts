import { expect, test } from 'vitest'
import { type Answer, ask } from './door.ts'
import { openShop } from './open-shop.ts'

const SOON = { timeout: 30_000, interval: 100 }

/** Milliseconds that a visitor waits for who sleeps: several times what a start takes. */
const WAKE_WAIT_MS = 6000

const shop = await openShop({ env: { WAKE_WAIT_MS: String(WAKE_WAIT_MS) } })

/** A browser without scripts: it follows links, sends forms, keeps the cookie, and goes where a form leads it. */
class Visitor {
  #cookie: string | undefined

  async look(path: string): Promise<{ status: number; html: string }> {
    return pageIn(await this.#ask(path, {}))
  }

  /** The page that the form led to, or that the door gave instead. */
  async send(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const answer = await this.#ask(path, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams(form),
      headers: { origin: shop.url, 'sec-fetch-site': 'same-origin', ...headers },
    })
    return answer.status === 303 ? this.look(String(answer.headers.get('location'))) : pageIn(answer)
  }

  async #ask(path: string, init: RequestInit): Promise<Answer> {
    const cookie = this.#cookie === undefined ? {} : { cookie: this.#cookie }
    const answer = await ask(shop, path, {
      ...init,
      headers: { accept: 'text/html', ...cookie, ...init.headers },
    })
    this.#cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? this.#cookie
    return answer
  }
}

function pageIn({ status, body }: Answer): { status: number; html: string } {
  return { status, html: String(body['text']) }
}

/** The address of the first link into a part of the shop. */
function linkIn(html: string, part: string): string {
  return new RegExp(`href="(/${part}/[^"]+)"`).exec(html)?.[1] ?? ''
}

test('a visitor comes by the front to a category and a good, and fills a basket that nobody else sees', async () => {
  const [visitor, stranger] = [new Visitor(), new Visitor()]
  const front = await visitor.look('/')
  const category = await visitor.look(linkIn(front.html, 'c'))
  expect(category.html).toContain('aria-current="page"')
  const path = linkIn(category.html, 'p')
  const good = await visitor.look(path)
  const sku = path.split('/').at(-1) ?? ''
  expect(good.html).toContain(`src="/api/goods/${sku}/picture.svg"`)
  const [, price = ''] = /<p class="price">.*?€([\d.]+)/.exec(good.html) ?? []

  const [title = ''] = /<h1>[^<]+<\/h1>/.exec(good.html) ?? []
  const filled = await visitor.send('/basket', { do: 'put', sku, quantity: '1' })
  expect(filled.html).toContain(title.replace(/<\/?h1>/g, ''))
  expect(filled.html).toContain(`<dt>Total</dt><dd>€${price}</dd>`)
  const changed = await visitor.send('/basket', { do: 'put', sku, quantity: '2' })
  expect(changed.html).toMatch(/name="quantity"[^>]* value="2"/)
  expect(changed.html).toContain(`€${(2 * Number(price)).toFixed(2)}`)
  expect((await visitor.look('/checkout')).html).toContain('4242 4242 4242 4242')

  const others = await stranger.look('/basket')
  expect(others.html).toContain('Your basket is empty')
  expect(others.html).not.toContain(sku)
  expect((await visitor.send('/basket', { do: 'remove', sku })).html).toContain('Your basket is empty')
})

test('what is not there is said in a page', async () => {
  const visitor = new Visitor()
  for (const path of ['/p/NONE-1', '/p/none', '/c/none', '/orders/1', '/nowhere']) {
    const { status, html } = await visitor.look(path)
    expect({ path, status }).toEqual({ path, status: 404 })
    expect(html).toContain('<h1>Not here</h1>')
  }
})

test('another site cannot fill a basket for somebody', async () => {
  const visitor = new Visitor()
  const form = { do: 'put', sku: 'LMP-0101', quantity: '1' }
  await visitor.send('/basket', { ...form, quantity: '2' })
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
    expect((await visitor.send('/basket', form, headers)).status).toBe(403)
  expect((await visitor.look('/basket')).html).toMatch(/name="quantity"[^>]* value="2"/)
})

test('what a visitor looks for is text, whatever it is', async () => {
  const { status, html } = await new Visitor().look(
    `/search?q=${encodeURIComponent('<script>alert(1)</script>')}`,
  )
  expect(status).toBe(200)
  expect(html).not.toContain('<script')
  expect(html).toContain('&#60;script&#62;alert(1)')
  expect((await new Visitor().look('/search?q=lantern')).html).toContain('href="/p/LMP-0101"')
})

test('what pages refer to is there, and browsers may keep it for a year', async () => {
  const { html } = await new Visitor().look('/')
  const files = [...html.matchAll(/href="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  expect(files).toHaveLength(2)
  for (const file of files) {
    const { status, headers } = await ask(shop, file)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toContain('immutable')
  }
})

/** The card is to be found in contracts/src/payments.ts. */
test('a visitor orders what is in the basket, once, and sees how it goes on until it is settled', async () => {
  const [visitor, stranger] = [new Visitor(), new Visitor()]
  await visitor.send('/basket', { do: 'put', sku: 'LMP-0101', quantity: '2' })
  const { html } = await visitor.look('/checkout')
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const form = {
    key: hidden('key'),
    total: hidden('total'),
    name: 'Hans Petersen',
    address: 'Am Kai 1\r\n20457 Hamburg',
    card: '4242424242424242',
  }
  const refused = await visitor.send('/checkout', { ...form, name: '' })
  expect(refused.status).toBe(400)
  expect(refused.html).toContain('20457 Hamburg')

  const [first, second] = await Promise.all([
    visitor.send('/checkout', form),
    visitor.send('/checkout', form),
  ])
  const numberIn = (page: string) => /number <span class="number">([0-9a-f-]{36})/.exec(page)?.[1]
  const id = numberIn(first.html)
  expect(id).toBeDefined()
  expect(numberIn(second.html)).toBe(id)
  expect((await visitor.look('/basket')).html).toContain('Your basket is empty')

  const look = async () => (await visitor.look(`/orders/${id}`)).html
  await expect.poll(look, SOON).toContain('Ordered and paid')
  expect(await look()).not.toContain('http-equiv="refresh"')
  expect((await visitor.look('/orders')).html.match(/href="\/orders\/[0-9a-f]/g)).toHaveLength(1)
  expect((await stranger.look(`/orders/${id}`)).status).toBe(404)

  const cancelled = await visitor.send(`/orders/${id}`, { do: 'cancel' })
  expect(cancelled.html).toContain('Cancellation asked for')
  await expect.poll(look, SOON).toContain('role="status">Cancelled')
})

test('no path with which storefront is called, or calls, names anybody', async () => {
  const visitor = new Visitor()
  await visitor.send('/basket', { do: 'put', sku: 'LMP-0101', quantity: '1' })
  for (const appId of ['apigateway', 'storefront']) {
    const [replica] = shop.replicas(appId)
    const metrics = await (await fetch(`http://127.0.0.1:${replica?.metricsPort}/metrics`)).text()
    const lines = metrics.split('\n').filter((line) => line.startsWith('dapr_http_server_request_count'))
    expect(lines.join('\n')).toMatch(/invoke\/(storefront|basket)/)
    expect(lines.join('\n')).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7/)
  }
})

test('who finds storefront asleep, and then whom it asks, waits and is served', async () => {
  const visitor = new Visitor()
  for (const asleep of ['storefront', 'basket']) {
    await shop.removeReplica(asleep)
    const waiting = visitor.send('/basket', { do: 'put', sku: 'LMP-0101', quantity: '1' })
    await shop.addReplica(asleep)
    const { status, html } = await waiting
    expect({ asleep, status }).toEqual({ asleep, status: 200 })
    expect(html).toContain('Harbour Lantern, brass')
  }
})

// The last one here: storefront is away for a while.
test('while nobody makes pages, the door says so itself', async () => {
  const replicas = shop.replicas('storefront')
  for (const { app, sidecar } of replicas) await Promise.all([app.kill(), sidecar.kill()])
  const [browser, program] = await Promise.all([
    ask(shop, '/', { headers: { accept: 'text/html' } }),
    ask(shop, '/'),
  ])
  expect({ status: browser.status, retry: browser.headers.get('retry-after') }).toEqual({
    status: 503,
    retry: '1',
  })
  expect(browser.body['text']).toContain('<h1>Low tide</h1>')
  expect(program.body).toMatchObject({ status: 503, title: 'unavailable' })
  for (const { app, sidecar } of replicas) {
    await app.start()
    await sidecar.start()
  }
  await expect.poll(async () => (await ask(shop, '/')).status, SOON).toBe(200)
})
