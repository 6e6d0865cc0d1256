import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readKubeconfig } from './kubeconfig.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'kubeconfig-'))
afterAll(() => rmSync(dir, { recursive: true }))

function written(text: string): string {
  const file = path.join(dir, 'config')
  writeFileSync(file, text)
  return file
}

const data = (text: string) => Buffer.from(text).toString('base64')

const several = `
current-context: mine
contexts:
  - { name: other, context: { cluster: other, user: other } }
  - { name: mine, context: { cluster: kind, user: kind } }
clusters:
  - { name: other, cluster: { server: https://far } }
  - { name: kind, cluster: { server: 'https://127.0.0.1:1', certificate-authority-data: ${data('ca')} } }
users:
  - { name: kind, user: { client-certificate-data: ${data('me')}, client-key-data: ${data('key')} } }
`

test('of several clusters the current one is taken', () => {
  const file = written(several)
  expect(readKubeconfig(file)).toEqual({
    server: 'https://127.0.0.1:1',
    ca: 'ca',
    certificate: 'me',
    key: 'key',
    token: undefined,
  })
})

test('another context is taken where it is named', () => {
  const file = written(several)
  expect(readKubeconfig(file, 'other').server).toBe('https://far')
  expect(() => readKubeconfig(file, 'third')).toThrow(/names no cluster for third/)
})

test('a file that is none, or not there, is told in a sentence', () => {
  expect(() => readKubeconfig(written(''))).toThrow(/names no cluster/)
  expect(() => readKubeconfig(path.join(dir, 'nowhere'))).toThrow(/no kubeconfig to read/)
})
