import { deadPlace } from '@tideshop/kit/dead-letter'
import { traceIdOf } from '@tideshop/kit/trace'
import type { Kafka } from './kafka.ts'
import { kept, type Lying, records, waiting } from './letters.ts'

/** Of a payload: characters when it is JSON, bytes when it is not. `--raw` has no bound. */
const JSON_SHOWN_MAX = 20_000
const BYTES_SHOWN_MAX = 1024
const BYTES_PER_LINE = 16

export type Sought = { partition: number; offset: string }
export type Sighted = Lying & { waits: boolean }

/** `<partition>/<offset>`, as the list prints it. */
export function readPlace(text: string): Sought {
  const [, partition, offset] = /^(-?\d+)\/(\d*)$/.exec(text) ?? []
  if (partition === undefined || offset === undefined) {
    throw new Error(`${text} is not a place: <partition>/<offset>, as pnpm dead list prints it`)
  }
  return { partition: Number(partition), offset }
}

/** The letter about that record. A batch that came twice left two, which say the same: the newest counts. */
export async function find(kafka: Kafka, topic: string, sought: Sought): Promise<Sighted> {
  const [all, open] = await Promise.all([kept(kafka, topic), waiting(kafka, topic)])
  const place = deadPlace({ topic, ...sought })
  let found: Lying | null = null
  let isSettled = false
  for await (const { offset, time, data } of records(kafka, topic, all)) {
    if (deadPlace(data) !== place) continue
    if ('became' in data) isSettled = true
    else found = { offset, time, letter: data }
  }
  if (found === null) throw new Error(`no dead letter is about ${place.replace('/', ' ')}`)
  return { ...found, waits: !isSettled && found.offset >= open.from }
}

/** One letter whole. */
export function describeWhole({ time, letter, waits }: Sighted, payload: Buffer): string {
  const { topic, partition, offset, key, listener, reason } = letter
  const json = jsonIn(payload)
  return `stood at:     ${topic} ${partition}/${offset}
key:          ${key ?? 'none'}
not handled:  by ${listener}, ${time}
reason:       ${reason}
trace:        ${traceIn(json) ?? 'none'}
now:          ${waits ? 'waits' : 'put back or discarded'}
payload:      ${payload.length} bytes${json === undefined ? ', not JSON' : ''}
${json === undefined ? hexDump(payload) : prettyJson(json)}`
}

/** Undefined when it is not JSON, which no JSON is. */
function jsonIn(payload: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    return undefined
  }
}

function traceIn(json: unknown): string | undefined {
  const { traceparent } = Object(json)
  return typeof traceparent === 'string' ? traceIdOf(traceparent) : undefined
}

function prettyJson(json: unknown): string {
  const text = JSON.stringify(json, null, 2)
  return text.slice(0, JSON_SHOWN_MAX) + rest(text.length - JSON_SHOWN_MAX, 'characters')
}

/** Offset, bytes, and what of them can be printed: as `hexdump -C` does. */
function hexDump(payload: Buffer): string {
  const shown = payload.subarray(0, BYTES_SHOWN_MAX)
  const lines = []
  for (let at = 0; at < shown.length; at += BYTES_PER_LINE) {
    const bytes = shown.subarray(at, at + BYTES_PER_LINE)
    const hex = bytes.toString('hex').replace(/../g, '$& ')
    const text = bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3)} |${text}|`)
  }
  return lines.join('\n') + rest(payload.length - BYTES_SHOWN_MAX, 'bytes')
}

function rest(count: number, unit: string): string {
  return count > 0 ? `\n… and ${count} ${unit} more: --raw writes all` : ''
}
