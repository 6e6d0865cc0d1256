import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'

const MAIN = path.join(import.meta.dirname, '../src/main.ts')
/** Port 9 (discard) is served by nobody on a developer's machine. */
const NOBODY = '127.0.0.1:9'

function dead(...args: string[]): { status: number | null; stderr: string; stdout: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 60_000 })
}

test('where no Kafka answers, the address is told, and where a shop with an offset has its own', () => {
  const { status, stderr } = dead('list', 'user-create', '--brokers', NOBODY)
  expect(stderr).toMatch(/^no Kafka answers at 127\.0\.0\.1:9: is the shop open\? .*pnpm start/)
  expect(stderr).toContain('--port-offset N has its Kafka at port 19092 + N')
  expect(status).toBe(1)
}, 60_000)

test('a topic that does not exist is answered with the names of those that do', () => {
  const { status, stderr } = dead('list', 'user-crate', '--brokers', NOBODY)
  expect(stderr).toMatch(/^there is no topic user-crate: choose one of user-create, /)
  expect(status).toBe(1)
})

test('without a command it tells what there is', () => {
  expect(dead()).toMatchObject({ status: 0, stdout: expect.stringContaining('redrive <topic>') })
})
