import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { type Footer, type Line, readBackup, writeBackup } from './file.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-file-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const header = { time: '2026-11-20T12:00:00.000Z', databases: { users: { users: 1 } }, topics: {} }
const document: Line = { kind: 'document', database: 'users', collection: 'users', document: '{"_id":"ü"}' }
const record: Line = {
  ...{ kind: 'record', topic: 'user-create', partition: 3, offset: '17', time: '1', key: null, value: '' },
  headers: [['YQ==', null]],
}
const end: Footer = { kind: 'end', documents: 1, records: 1, quiet: true }

let file = ''
beforeEach(async () => {
  file = path.join(mkdtempSync(path.join(dir, 'one-')), 'shop.backup')
  await writeBackup(file, { header, lines: made([document, record]) })
})

async function* made(lines: Line[], then?: Error): AsyncGenerator<Line, Footer> {
  yield* lines
  if (then) throw then
  return end
}

async function readAll(): Promise<{ lines: Line[]; footer: Footer }> {
  const { lines } = await readBackup(file)
  const found = []
  for (;;) {
    const { done, value } = await lines.next()
    if (done) return { lines: found, footer: value }
    found.push(value)
  }
}

/** Unzips it, changes its text, and zips it again. */
function rewrite(change: (text: string) => string): void {
  writeFileSync(file, gzipSync(change(gunzipSync(readFileSync(file)).toString())))
}

test('what was written is read: no key is not an empty key, and the footer tells what to expect', async () => {
  expect((await readBackup(file)).header).toEqual({ kind: 'tideshop-backup', version: 1, ...header })
  expect(await readAll()).toEqual({ lines: [document, record], footer: end })
})

test('a backup does not overwrite another', async () => {
  await expect(writeBackup(file, { header, lines: made([]) })).rejects.toThrow(/does not overwrite/)
})

test('a backup that breaks off leaves no file', async () => {
  rmSync(file)
  const lines = made([document], new Error('the broker is away'))
  await expect(writeBackup(file, { header, lines })).rejects.toThrow('the broker is away')
  expect(readdirSync(path.dirname(file))).toEqual([])
})

test('a file that was cut anywhere is refused', async () => {
  const whole = readFileSync(file)
  for (let length = whole.length - 1; length > 0; length -= 7) {
    writeFileSync(file, whole.subarray(0, length))
    await expect(readAll()).rejects.toThrow(/is cut: its end is missing/)
  }
})

test('a file without its last line or lines is refused', async () => {
  rewrite((text) => text.split('\n').slice(0, -2).join('\n').concat('\n'))
  await expect(readAll()).rejects.toThrow(/is cut: its end is missing/)
  rewrite((text) => text.slice(0, -3))
  await expect(readAll()).rejects.toThrow(/is cut: it ends in the middle of a line/)
})

test('a file that was changed is refused', async () => {
  rewrite((text) => text.replace('ü', 'u'))
  await expect(readAll()).rejects.toThrow(/is damaged: its checksum is another/)
  rewrite((text) => text.replace('"document"', '"documents"'))
  await expect(readAll()).rejects.toThrow(/is damaged: it has a line that is none of a backup/)
  rewrite((text) => `${text}${text}`)
  await expect(readAll()).rejects.toThrow(/is damaged/)
})

test('what is no backup, of another version, or not there is refused with a sentence', async () => {
  rewrite((text) => text.replace('"version":1', '"version":2'))
  await expect(readAll()).rejects.toThrow(/is of a format that this tool does not read: it reads 1/)
  rewrite(() => '{"hello":"world"}\n')
  await expect(readAll()).rejects.toThrow(/is not a backup of Tideshop/)
  writeFileSync(file, 'not zipped')
  await expect(readAll()).rejects.toThrow(/is not a backup of Tideshop/)
  writeFileSync(file, '')
  await expect(readAll()).rejects.toThrow(/is (cut|not a backup)/)
  rmSync(file)
  await expect(readAll()).rejects.toThrow(/there is no file/)
})
