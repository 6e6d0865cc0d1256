import { randomUUIDv7 } from 'node:crypto'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import { orderStatus, orderStep } from '@tideshop/contracts/orders'
import type { AskForPage } from '@tideshop/contracts/storefront'
import { Refusal } from '@tideshop/kit/refusal'
import { noon } from '@tideshop/kit/test/parts'
import { type ConfigData, HtmlValidate } from 'html-validate'
import { expect, test } from 'vitest'
import { mug, orderOf, quoteOf, shop, shown } from './memory-shop.ts'

/** Every page in every state, read by a validator of HTML and its rules of accessibility (WCAG 2.1 A to AAA). */

const rules: ConfigData = {
  extends: ['html-validate:recommended', 'html-validate:a11y', 'html-validate:document'],
  rules: {
    'doctype-style': ['error', { style: 'lowercase' }],
    'void-style': ['error', { style: 'omit' }],
    // It is markup of templates: nobody reads it by its line ends.
    'no-trailing-whitespace': 'off',
    'long-title': 'off',
    // Escaped are the same signs everywhere, by their numbers.
    'no-raw-characters': 'error',
    'no-inline-style': 'error',
    // All of it is our own.
    'require-sri': ['error', { target: 'crossorigin' }],
    // Only the page of an order has it, which tells so and offers to stop: that test is in pages.test.ts.
    'meta-refresh': 'off',
  },
}
const validator = new HtmlValidate(rules)

const who = randomUUIDv7()
const form = { name: 'Hans', address: 'Am Kai 1', card: '4242424242424242', total: '1', key: 'k' }
const shelf = shelfOf([lantern, mug])
const nastyName = '</title><script>"\'&'

function filledShop(more: Parameters<typeof shop>[0] = {}) {
  const there = shop(more)
  const lines = [lantern, mug, { sku: 'OLD-1' }].map(({ sku }) => ({ sku, quantity: 2 }))
  there.basketOf.set(who, { lines, voucherCodes: ['TIDE', 'UNKNOWN'] })
  return there
}

async function pageOf(there: ReturnType<typeof shop>, asked: Partial<AskForPage>): Promise<string> {
  return shown(await there.ask({ customerId: who, customerName: nastyName, ...asked })).html
}

const post = { method: 'POST' } as const

test.each<[string, ReturnType<typeof shop>, Partial<AskForPage>]>([
  ['the front', shop({ catalog: { ...shelf, sales: sale } }), {}],
  ['the front without goods', shop({ catalog: shelfOf([]) }), {}],
  ['a category', shop(), { path: '/c/lamps' }],
  ['a category with more', shop({ catalog: { ...shelf, goods: more } }), { path: '/c/lamps' }],
  ['the search for nothing', shop(), { path: '/search' }],
  ['the search for something', shop(), { path: '/search', query: { q: nastyName } }],
  [
    'the search for what is not there',
    shop({ catalog: shelfOf([]) }),
    { path: '/search', query: { q: 'x' } },
  ],
  ['the search for what cannot be', shop(), { path: '/search', query: { q: 'x'.repeat(101) } }],
  ['a good', shop(), { path: '/p/LMP-0101' }],
  ['a good on sale that is in the basket', filledShop(), { path: '/p/TAB-0101' }],
  ['an empty basket', shop(), { path: '/basket' }],
  ['a basket', filledShop(), { path: '/basket' }],
  [
    'a basket, refused',
    filledShop(),
    { path: '/basket', ...post, form: { do: 'put', sku: 'LMP-0101', quantity: '"' } },
  ],
  ['no good', shop(), { path: '/p/NONE-1' }],
  ['low tide', shop({ catalog: { ...shelf, goods: away } }), {}],
  ['no orders', shop(), { path: '/orders' }],
])('%s is valid and accessible', async (_, there, asked) => {
  await expectValid(await pageOf(there, asked))
})

test('the checkout is valid and accessible, also with everything wrong', async () => {
  const there = filledShop()
  await there.send('/basket', who, { do: 'remove', sku: 'OLD-1' })
  await expectValid(await pageOf(there, { path: '/checkout' }))
  for (const wrong of [{}, { ...form, name: '' }, { name: nastyName, address: nastyName }])
    await expectValid(
      await pageOf(there, { path: '/checkout', ...post, form: wrong && { key: 'k', ...wrong } }),
    )
})

test('an order is valid and accessible in each of its states, and so is the list of all of them', async () => {
  const there = shop()
  const lines = [{ sku: 'LMP-0101', quantity: 2 }]
  for (const status of orderStatus.options) {
    const id = randomUUIDv7()
    const order = orderOf({
      id,
      customerId: who,
      contact: { name: nastyName, address: ['Am Kai 1', nastyName] },
      card: '4242424242424242',
      lines,
      voucherCodes: ['TIDE'],
      traceparent: '',
    })
    const timeline = orderStep.options.map((step) => ({ step, at: noon.toISOString(), reason: nastyName }))
    const quote =
      status === 'reserving'
        ? null
        : quoteOf({
            lines: [{ ...lines[0], sku: 'LMP-0101', quantity: 2, unitPriceCents: 5190 }],
            voucherCodes: ['TIDE'],
          })
    there.orders.set(id, { ...order, status, timeline, quote, customerId: who })
    await expectValid(await pageOf(there, { path: `/orders/${id}` }))
    await expectValid(await pageOf(there, { path: `/orders/${id}`, query: { refresh: 'off' } }))
  }
  await expectValid(await pageOf(there, { path: '/orders' }))
})

test('what the shop has to say to everybody stands on the page as the text that it is', async () => {
  const told = { name: nastyName, banner: { text: nastyName, level: 'info' as const }, maintenance: null }
  const html = await pageOf(shop(), { notice: told })
  await expectValid(html)
  expect(html).toContain('class="announcement info"')
  const closed = { ...told, maintenance: { message: 'We are back at eight.' } }
  expect(await pageOf(shop(), { notice: closed })).toContain(
    '<p class="announcement warning" role="status">We are back at eight.</p>',
  )
})

test('the validator sees what is wrong', async () => {
  const html = await pageOf(shop(), {})
  for (const wrong of [
    html.replace('<label class="unseen" for="q">', '<label class="unseen" for="p">'),
    html.replace('alt=""', ''),
    html.replace('lang="en"', ''),
    html.replace('</main>', ''),
  ])
    await expect(expectValid(wrong)).rejects.toThrow()
})

async function expectValid(html: string): Promise<void> {
  const { results } = await validator.validateString(html)
  const messages = results.flatMap((result) => result.messages)
  expect(
    messages.map(({ ruleId, message, line }) => `${ruleId}: ${message} in ${html.split('\n')[line - 1]}`),
  ).toEqual([])
  expect(html).not.toMatch(/<script|\son[a-z]+=|javascript:/i)
  // Nobody else is asked for anything.
  expect(html.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|(src|href|action)="\/\//)
}

async function sale() {
  return { sales: mug.sale === undefined ? [] : [mug.sale], next: null }
}

async function more() {
  return { goods: [lantern, mug], next: 'TAB-0101' }
}

function away() {
  return Promise.reject(new Refusal('unavailable', 'catalog does not answer'))
}
