import { styleText } from 'node:util'

/** One line of a process, as it came. */
export type LogLine = { source: string; text: string; at: Date }

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** What a line says, whoever wrote it: pino (JSON), daprd (logfmt), Kafka (log4j) or anything else. */
export type Said = { level: Level; message: string; fields: Record<string, string> }

/** A trace id has 32 characters, and so many of them break every line of a terminal; the files have it whole. */
const TRACE_CHARS = 8

/** Longer values are the log file's matter. */
const VALUE_CHARS_MAX = 300

/** What every line of a source repeats, or the prefix says already. */
const repeated = new Set(
  'time level msg pid hostname name app app_id appId service instance scope type ver v'.split(' '),
)

/** What daprd warns about and this shop chose: no control plane on a laptop, and sidecars that are told twice to go. */
const chosen = [
  'mTLS is disabled',
  'Actor runtime disabled',
  'No scheduler host addresses',
  "Received signal 'terminated' during shutdown",
]

const colours = ['cyan', 'green', 'magenta', 'blue', 'yellow', 'cyanBright', 'greenBright'] as const

export function understand(text: string): Said {
  return pino(text) ?? logfmt(text) ?? log4j(text) ?? { level: 'info', message: text, fields: {} }
}

function pino(text: string): Said | null {
  if (!text.startsWith('{')) return null
  try {
    const { level, msg = '', ...rest } = JSON.parse(text) as { level?: unknown; msg?: unknown }
    if (typeof level !== 'number') return null
    return { level: pinoLevel(level), message: String(msg), fields: pinoFields(rest) }
  } catch {
    return null
  }
}

function pinoLevel(level: number): Level {
  if (level >= 50) return 'error'
  if (level >= 40) return 'warn'
  return level >= 30 ? 'info' : 'debug'
}

function pinoFields(line: object): Record<string, string> {
  const entries = Object.entries(line).filter(([key]) => !repeated.has(key))
  return Object.fromEntries(entries.map(([key, value]) => [key, inOneLine(key, value)]))
}

function inOneLine(key: string, value: unknown): string {
  const cause = value as { message?: unknown } | null
  // pino writes an error with its stack, which fills the screen; the log file keeps it.
  if ((key === 'err' || key === 'error') && typeof cause?.message === 'string') return cause.message
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function logfmt(text: string): Said | null {
  if (!text.startsWith('time=')) return null
  const found = text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S*)/g)
  const pairs = [...found].map(([, key = '', value = '']): [string, string] => [key, unquoted(value)])
  const all = new Map(pairs)
  const fields = Object.fromEntries(pairs.filter(([key]) => !repeated.has(key)))
  const message = all.get('msg') ?? ''
  const level = chosen.some((beginning) => message.startsWith(beginning)) ? 'info' : all.get('level')
  return { level: namedLevel(level ?? 'info'), message, fields }
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
}

function log4j(text: string): Said | null {
  const found = /^[\d:.,\- ]+\[.*?\] (TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +(\S+) - (.*)$/.exec(text)
  if (!found) return null
  const [, level = '', , message = ''] = found
  return { level: namedLevel(level.toLowerCase()), message, fields: {} }
}

function namedLevel(level: string): Level {
  if (level === 'trace' || level === 'debug') return 'debug'
  if (level.startsWith('warn')) return 'warn'
  return level === 'info' ? 'info' : 'error'
}

/** `users      · batch handled topic=user-create`, with the source padded to `width` and in its own colour. */
export function pretty(line: LogLine, width: number, colour: boolean): string {
  const said = understand(line.text)
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    colour && text !== '' ? styleText(format, text, { validateStream: false }) : text
  const fields = Object.entries(said.fields).map(([key, value]) => `${key}=${short(key, value)}`)
  const words = [
    paint(colourOf(line.source), line.source.padEnd(width)),
    '·',
    said.level === 'info' ? '' : paint(levelFormat[said.level], said.level),
    said.level === 'error' ? paint('red', said.message) : said.message,
    paint('dim', fields.join(' ')),
  ]
  return words.filter((word) => word !== '').join(' ')
}

const levelFormat = { debug: 'dim', warn: 'yellow', error: 'red' } as const

function short(key: string, value: string): string {
  if (key === 'trace') return value.slice(0, TRACE_CHARS)
  return value.length > VALUE_CHARS_MAX ? `${value.slice(0, VALUE_CHARS_MAX)}…` : value
}

/** An app, its sidecar and its replicas share a colour; it must not change from start to start. */
function colourOf(source: string): (typeof colours)[number] {
  const family = source.replace(/[-/].*/, '')
  const sum = [...family].reduce((total, letter) => total + letter.charCodeAt(0), 0)
  return colours[sum % colours.length] ?? 'cyan'
}
