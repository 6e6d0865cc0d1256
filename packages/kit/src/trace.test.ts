import { expect, test } from 'vitest'
import { continueTrace, traceIdOf } from './trace.ts'

const caller = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('a trace goes on under its id with a new span', () => {
  const next = continueTrace(caller)
  expect(traceIdOf(next)).toBe('0af7651916cd43dd8448eb211c80319c')
  expect(next).not.toBe(caller)
})

test.each([undefined, 7, '', 'rubbish', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff${caller.slice(2)}`])(
  'without a well-formed trace (%s) a new one begins',
  (given) => {
    expect(continueTrace(given)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(traceIdOf(continueTrace(given))).not.toBe('0'.repeat(32))
  },
)
