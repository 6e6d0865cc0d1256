import { expect, test } from 'vitest'
import { expectShop, loopbackOrigin } from './target.ts'

test('a shop on this machine is a target', () => {
  expect(loopbackOrigin('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080')
  expect(loopbackOrigin('http://localhost:8080/')).toBe('http://localhost:8080')
  expect(loopbackOrigin('http://[::1]:8080')).toBe('http://[::1]:8080')
})

test('no other host gets any load', () => {
  for (const host of [
    'example.com',
    '10.0.0.1',
    '127.0.0.1.example.com',
    'localhost.example.com',
    '0.0.0.0',
  ]) {
    expect(() => loopbackOrigin(`http://${host}:8080`)).toThrow(
      `only to this machine (127.0.0.1 or localhost)`,
    )
  }
  expect(() => loopbackOrigin('http://127.0.0.1:8080@example.com')).toThrow('not to "example.com"')
})

test('what is not the origin of a shop is told so', () => {
  expect(() => loopbackOrigin('127.0.0.1:8080')).toThrow('is an http:// address')
  expect(() => loopbackOrigin('https://127.0.0.1:8080')).toThrow('is an http:// address')
  expect(() => loopbackOrigin('http://127.0.0.1:8080/api')).toThrow('a host and a port alone')
})

test('where no shop answers, the error says how to start one', async () => {
  // Port 9 (discard) is served by nobody on a developer's machine.
  await expect(expectShop('http://127.0.0.1:9')).rejects.toThrow(/no shop answers.*ECONNREFUSED.*pnpm start/)
})
