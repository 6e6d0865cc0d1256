import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { events } from '@tideshop/contracts/events'
import { topics } from '@tideshop/contracts/topics'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { asyncApi } from './asyncapi.ts'
import { channels } from './channels.ts'
import { files } from './files.ts'

const specification = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json')

test.each(files().map((file) => ({ ...file, name: basename(file.path) })))(
  '$name is of these contracts; if not: pnpm events',
  ({ path, text }) => {
    expect(readFileSync(path, 'utf8')).toBe(text)
  },
)

test('every topic has one event, said by its teller', () => {
  const said = events.map(({ topic, source }) => ({ name: topic, teller: source }))
  const planned = topics.map(({ name, teller }) => ({ name, teller }))
  expect(said.toSorted(byName)).toEqual(planned.toSorted(byName))
})

test('the document is AsyncAPI 3, and one that lacks something is not', () => {
  // The specification carries its meta-schema along, and two of one name are one too many.
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false })
  addFormats.default(ajv)
  const isAsyncApi = ajv.compile(specification)
  const document = parse(asyncApi(channels()))
  expect(isAsyncApi(document) ? [] : isAsyncApi.errors).toEqual([])
  expect(isAsyncApi({ ...document, info: {} })).toBe(false)
})

test('what a document refers to is there', () => {
  const document = parse(asyncApi(channels()))
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => String(path))
  const lost = refs.filter((path) => path.split('/').reduce((at, key) => at?.[key], document) === undefined)
  expect(refs.length).toBeGreaterThan(40)
  expect(lost).toEqual([])
})

function byName(one: { name: string }, other: { name: string }): number {
  return one.name.localeCompare(other.name)
}
