import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import { expect, onTestFinished, test } from 'vitest'
import { breaks, generate, lint, MODULES, PUBLISHED } from './proto.ts'

test('the code is made of these .proto files; if not: pnpm proto', { timeout: 60_000 }, async () => {
  const copy = ownFolder()
  await generate(copy)
  for (const { code } of MODULES) {
    expect(filesIn(path.join(root, code))).toEqual(filesIn(path.join(copy, code)))
  }
})

test('the contract is published as it stands; if not: pnpm proto', () => {
  expect(filesIn(path.join(root, PUBLISHED))).toEqual(filesIn(path.join(root, 'contracts'), '.proto', false))
})

test('the contract keeps what was published, and the style', { timeout: 60_000 }, async () => {
  expect(await breaks()).toBe('')
  expect(await lint()).toBe('')
})

test.each([
  ['another type', 'int64 unit_price_cents = 2;', 'int32 unit_price_cents = 2;', 'changed type'],
  ['another number', 'int32 quantity = 3;', 'int32 quantity = 4;', 'was deleted'],
  ['another name', 'int64 total_cents = 4;', 'int64 total = 4;', 'changed name'],
  ['a field less', 'repeated string voucher_codes = 2;', '', 'was deleted'],
  ['a stream more', 'returns (QuoteResponse)', 'returns (stream QuoteResponse)', 'streaming'],
  ['a method less', 'rpc Watch(WatchRequest) returns (stream WatchResponse);', '', 'was deleted'],
])('%s breaks it, and is found', { timeout: 60_000 }, async (_, published, changed, found) => {
  expect(await breaks(changedContract(published, changed))).toContain(found)
})

test('a new field breaks nothing', { timeout: 60_000 }, async () => {
  const contract = changedContract('int64 total_cents = 4;', 'int64 total_cents = 4; string currency = 7;')
  expect(await breaks(contract)).toBe('')
})

function changedContract(published: string, changed: string): string {
  const folder = ownFolder()
  cpSync(path.join(root, PUBLISHED), folder, { recursive: true })
  const file = path.join(folder, 'pricing.proto')
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(published)
  writeFileSync(file, text.replace(published, changed))
  return folder
}

function filesIn(folder: string, ending = '', recursive = true): Record<string, string> {
  const names = readdirSync(folder, { recursive, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.join(entry.parentPath, entry.name))
  return Object.fromEntries(names.map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]))
}

function ownFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tideshop-proto-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
