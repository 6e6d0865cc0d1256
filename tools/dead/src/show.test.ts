import { expect, test } from 'vitest'
import { describeWhole, readPlace } from './show.ts'

const letter = {
  topic: 'user-create',
  partition: 3,
  offset: '17',
  key: 'u',
  listener: 'users',
  reason: 'not JSON',
  payload: null,
}
const sighted = { offset: 0n, time: '2026-11-20T12:00:00.000Z', letter, waits: true }

test('a letter is shown whole: where it stood, its key, who could not handle it, and why', () => {
  const shown = describeWhole(sighted, Buffer.from('{}'))
  expect(shown).toContain('stood at:     user-create 3/17')
  expect(shown).toContain('key:          u')
  expect(shown).toContain('not handled:  by users, 2026-11-20T12:00:00.000Z')
  expect(shown).toContain('reason:       not JSON')
  expect(shown).toContain('now:          waits')
  expect(describeWhole({ ...sighted, waits: false }, Buffer.from('{}'))).toContain('put back or discarded')
})

test('a payload of JSON is pretty, and tells its trace', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const shown = describeWhole(sighted, Buffer.from(JSON.stringify({ traceparent, data: { name: 7 } })))
  expect(shown).toContain(`trace:        ${'a'.repeat(32)}`)
  expect(shown).toContain('  "data": {\n    "name": 7\n  }')
})

test.each(['false', '0', '""', 'null', '[]', '{"traceparent":7}'])('%s is JSON without a trace', (text) => {
  const shown = describeWhole(sighted, Buffer.from(text))
  expect(shown).toContain('trace:        none')
  expect(shown).not.toContain('not JSON\n0000')
})

test('bytes that are no text are shown as such', () => {
  const shown = describeWhole(sighted, Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x41]))
  expect(shown).toContain('payload:      5 bytes, not JSON')
  expect(shown).toContain('00000000  ff fe 00 80 41 ')
  expect(shown).toContain('|....A|')
})

test('what is long is cut, and says how to have the rest', () => {
  expect(describeWhole(sighted, Buffer.alloc(1500, 'x'))).toMatch(/… and 476 bytes more: --raw writes all$/)
  const json = describeWhole(sighted, Buffer.from(JSON.stringify('x'.repeat(30_000))))
  expect(json).toMatch(/… and 10002 characters more/)
})

test('a place is written as the list prints it', () => {
  expect(readPlace('3/17')).toEqual({ partition: 3, offset: '17' })
  expect(() => readPlace('17')).toThrow(/<partition>\/<offset>, as pnpm dead list prints it/)
})
