import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'

/**
 * The file: JSON lines, zipped. The first line is a header, the last a footer with a checksum of all before it. A file
 * gets its name only when it is whole and on the disk; one that was cut or changed afterwards is noticed by whoever
 * reads it to the end, which a restore does before it touches anything.
 */

/** Of the format. A change that an older tool would misread is a new one. */
const VERSION = 1
/** Of one line: the largest document that MongoDB takes, written out, fits twice. */
const LINE_BYTES_MAX = 64 * 1024 ** 2

/** Handed to the zipper at once: each piece costs a turn of its thread, so a line is too little. */
const PIECE_CHARACTERS = 64 * 1024

const counts = z.record(z.string(), z.int())
/** Offsets by partition, as strings: a log may be longer than a number can tell. */
const offsets = z.array(z.string())

const header = z.object({
  kind: z.literal('tideshop-backup'),
  version: z.literal(VERSION, { error: `is of a format that this tool does not read: it reads ${VERSION}` }),
  time: z.iso.datetime(),
  /** Documents by database and collection, and records by topic, as counted when the backup began. */
  databases: z.record(z.string(), counts),
  topics: z.record(z.string(), z.object({ partitions: z.int(), records: z.int() })),
})
const line = z.discriminatedUnion('kind', [
  /** What `group` has acknowledged of `topic`: the next offset by partition, null where it never did. */
  z.object({
    kind: z.literal('progress'),
    group: z.string(),
    topic: z.string(),
    next: z.array(z.string().nullable()),
  }),
  /** EJSON, so that a date stays a date. */
  z.object({
    kind: z.literal('document'),
    database: z.string(),
    collection: z.string(),
    document: z.string(),
  }),
  /** Where each partition of `topic` begins and ends; stands before the records. */
  z.object({ kind: z.literal('log'), topic: z.string(), from: offsets, to: offsets }),
  /** Bytes are base64. `time` is milliseconds since 1970. */
  z.object({
    kind: z.literal('record'),
    topic: z.string(),
    partition: z.int(),
    offset: z.string(),
    time: z.string(),
    key: z.string().nullable(),
    value: z.string().nullable(),
    headers: z.array(z.tuple([z.string().nullable(), z.string().nullable()])),
  }),
])
const footer = z.object({
  kind: z.literal('end'),
  documents: z.int(),
  records: z.int(),
  /** Whether nothing changed while it was taken. */
  quiet: z.boolean(),
  sha256: z.string(),
})

export type Header = z.infer<typeof header>
export type Line = z.infer<typeof line>
export type LineOf<K extends Line['kind']> = Extract<Line, { kind: K }>
/** Without its checksum, which is the file's own business. */
export type Footer = Omit<z.infer<typeof footer>, 'sha256'>

/** What a backup is made of; the footer is known when the last line was made. */
export type Content = { header: Omit<Header, 'kind' | 'version'>; lines: AsyncGenerator<Line, Footer> }

/** Throws, and leaves no file, when making the content fails. */
export async function writeBackup(file: string, content: Content): Promise<Footer> {
  if (existsSync(file)) throw new Error(`${file} is there already: a backup does not overwrite another`)
  const unfinished = `${file}.part`
  try {
    let written: Footer | null = null
    const text = Readable.from(textOf(content, (footer) => (written = footer)))
    await pipeline(text, createGzip(), createWriteStream(unfinished, { flush: true }))
    await rename(unfinished, file)
    return written as unknown as Footer
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

async function* textOf(content: Content, done: (footer: Footer) => void): AsyncGenerator<string> {
  const hash = createHash('sha256')
  let text = `${JSON.stringify({ kind: 'tideshop-backup', version: VERSION, ...content.header })}\n`
  for (;;) {
    const next = await content.lines.next()
    if (next.done || text.length > PIECE_CHARACTERS) {
      hash.update(text)
      yield text
      text = ''
    }
    if (next.done) {
      yield `${JSON.stringify({ ...next.value, sha256: hash.digest('hex') })}\n`
      return done(next.value)
    }
    text += `${JSON.stringify(next.value)}\n`
  }
}

export type Backup = { header: Header; lines: AsyncGenerator<Line, Footer> }

/** The lines throw, at the latest at their end, when the file is not what was written. */
export async function readBackup(file: string): Promise<Backup> {
  const hash = createHash('sha256')
  const texts = textLines(file)
  const first = await texts.next()
  if (first.done) throw notABackup(file)
  hash.update(`${first.value}\n`)
  return { header: readHeader(file, first.value), lines: readLines(file, texts, hash) }
}

function readHeader(file: string, text: string): Header {
  const parsed = header.safeParse(jsonIn(text))
  if (parsed.success) return parsed.data
  const tooNew = parsed.error.issues.find(
    ({ path }) => path[0] === 'version' && text.includes('tideshop-backup'),
  )
  throw tooNew ? new Error(`${file} ${tooNew.message}`) : notABackup(file)
}

async function* readLines(
  file: string,
  texts: AsyncGenerator<string>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Line, Footer> {
  let end: z.infer<typeof footer> | null = null
  for await (const text of texts) {
    const value = jsonIn(text)
    // Whatever comes behind the footer is not ours.
    if (end !== null) throw new Error(`${file} is damaged: it goes on behind its end`)
    if ((value as Partial<Line> | undefined)?.kind === ('end' as string)) {
      end = footer.parse(value)
      continue
    }
    hash.update(`${text}\n`)
    const parsed = line.safeParse(value)
    if (!parsed.success) throw new Error(`${file} is damaged: it has a line that is none of a backup`)
    yield parsed.data
  }
  if (end === null) throw new Error(`${file} is cut: its end is missing`)
  const { sha256, ...rest } = end
  if (sha256 !== hash.digest('hex')) throw new Error(`${file} is damaged: its checksum is another`)
  return rest
}

async function* textLines(file: string): AsyncGenerator<string> {
  const zipped = createReadStream(file)
  const bytes = createGunzip()
  const piped = pipeline(zipped, bytes)
  // The reader below meets the same failure, and tells it.
  piped.catch(() => undefined)
  try {
    yield* splitLines(file, bytes)
  } catch (error) {
    throw inWords(file, error as NodeJS.ErrnoException)
  } finally {
    bytes.destroy()
    await piped.catch(() => undefined)
  }
}

async function* splitLines(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      begun.push(chunk.subarray(start, end))
      yield Buffer.concat(begun).toString('utf8')
      begun = []
      size = 0
      start = end + 1
    }
    begun.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > LINE_BYTES_MAX) throw notABackup(file)
  }
  if (size > 0) throw new Error(`${file} is cut: it ends in the middle of a line`)
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notABackup(file: string): Error {
  return new Error(`${file} is not a backup of Tideshop`)
}

function inWords(file: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'ENOENT') return new Error(`there is no file ${file}`)
  if (error.code === 'Z_BUF_ERROR') return new Error(`${file} is cut: its end is missing`)
  if (error.code === 'Z_DATA_ERROR') {
    return error.message.includes('header') ? notABackup(file) : new Error(`${file} is damaged`)
  }
  return error
}
