import { randomUUID } from 'node:crypto'

/** W3C trace context, version 00: `00-<32 hex trace id>-<16 hex span id>-<flags>`. Source: https://www.w3.org/TR/trace-context/ */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

/** The next step of a trace, or the first of a new one when there is none or it is not well-formed. */
export function continueTrace(traceparent: unknown): string {
  const match = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null
  const traceId = match?.[1] ?? randomHex()
  const flags = match?.[2] ?? '01'
  return `00-${traceId}-${randomHex().slice(0, 16)}-${flags}`
}

/** 32 digits. Node draws UUIDs from a store of random bytes; asking the kernel each time costs ten times as much. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '')
}

/** The part that all steps of one story share; what to search the logs for. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1]
}
