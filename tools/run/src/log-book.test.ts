import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LogBook, lastWords } from './log-book.ts'

function logBook(): LogBook {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-logs-'))
  const book = new LogBook(dir, () => undefined)
  onTestFinished(() => {
    book.close()
    rmSync(dir, { recursive: true })
  })
  return book
}

test('an error is still there after thousands of lines of chatter', () => {
  const book = logBook()
  book.add('users', '{"level":50,"msg":"lost the database"}')
  for (let n = 0; n < 5000; n += 1) book.add('users', `{"level":30,"msg":"handled ${n}"}`)
  const text = book.text()
  expect(text).toContain('lost the database')
  expect(text).toContain('handled 4999')
  expect(text).not.toContain('handled 100"')
})

test('one process can be asked for', () => {
  const book = logBook()
  book.add('users', 'from users')
  book.add('users/daprd', 'from its sidecar')
  expect(book.text({ source: 'users/daprd' })).not.toContain('from users')
  expect(book.tail('users', 5)).toEqual(['from users'])
})

test('every process has a file, and a file that grew too large is followed by a new one', () => {
  const book = logBook()
  const line = 'x'.repeat(8000)
  for (let n = 0; n < 2200; n += 1) book.add('users/daprd', line)
  expect(readFileSync(path.join(book.dir, 'users-daprd.log.1')).length).toBeGreaterThan(16e6)
  expect(readFileSync(path.join(book.dir, 'users-daprd.log')).length).toBeLessThan(2e6)
})

test('the last words of a process are its sentences, not the frames of a stack', () => {
  const stack = [
    "Error: Cannot find package 'x'",
    '    at resolve (node:internal)',
    '    at load (node:internal)',
    '',
  ]
  expect(lastWords([...stack, 'Node.js v24'], 2)).toEqual(["Error: Cannot find package 'x'", 'Node.js v24'])
})

test('what names an id is found long after, in whichever process said it', () => {
  const book = logBook()
  book.add('users', '{"level":30,"msg":"handled","userId":"u-17"}')
  book.add('operations', '{"level":30,"msg":"handled","operationId":"o-17"}')
  for (let n = 0; n < 5000; n += 1) book.add('users', `{"level":30,"msg":"handled ${n}"}`)
  expect(book.text({ naming: ['u-17', 'o-17'] }).split('\n')).toEqual([
    '--- lines that name u-17, o-17',
    'operations · {"level":30,"msg":"handled","operationId":"o-17"}',
    'users · {"level":30,"msg":"handled","userId":"u-17"}',
  ])
  expect(book.text({ naming: ['handled'], source: 'users', last: 1 })).toContain('handled 4999')
})
