import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { typed } from './command.ts'
import { tellMemory } from './memory.ts'
import { openShop } from './open-shop.ts'

const OPERATIONS = 1000

const shop = await openShop({ issuer: true })

function load(...args: string[]): Promise<{ code: number; said: string }> {
  return typed(process.execPath, 'load/src/main.ts', ...args, '--base-url', shop.url)
}

test('the Postman collection holds when two run it at once', async () => {
  const { code, said } = await load('postman', 'saga', '--runners', '2', '--iterations', '3')
  console.log(said)
  expect(said).toMatch(/^failures {2}0$/m)
  expect(code).toBe(0)
})

test('a customer and one of the shop’s people do all that they can, and two more of each beside them', async () => {
  const { code, said } = await load('postman', 'shop', '--runners', '2', '--iterations', '2')
  console.log(said)
  expect(said).toMatch(/^failures {2}0$/m)
  expect(code).toBe(0)
})

test('of a thousand operations by twenty callers none is lost, doubled or wrong', async ({
  onTestFinished,
}) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-load-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const json = path.join(dir, 'report.json')
  const { code, said } = await load(
    'saga',
    '--operations',
    `${OPERATIONS}`,
    '--callers',
    '20',
    '--json',
    json,
  )
  console.log([said.trimEnd(), tellMemory(shop)].filter(Boolean).join('\n'))
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
    accepted: OPERATIONS,
    ended: OPERATIONS,
    lost: 0,
    doubled: 0,
    wrong: 0,
  })
  expect(code).toBe(0)
})
