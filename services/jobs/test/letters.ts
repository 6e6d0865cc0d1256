import type { DeadLetter } from '@tideshop/kit/dead-letter'
import type { Event } from '@tideshop/kit/event'
import { noon } from '@tideshop/kit/test/parts'

/** What a listener puts aside. */
export function letter(change: Partial<DeadLetter> = {}, time = noon.toISOString()): Event<DeadLetter> {
  const data: DeadLetter = {
    topic: 'user-create',
    partition: 3,
    offset: '17',
    key: 'u-1',
    listener: 'users',
    reason: 'not JSON',
    payload: Buffer.from('not json').toString('base64'),
    ...change,
  }
  const subject = `${data.topic}/${data.partition}/${data.offset}`
  const [specversion, type] = ['1.0', 'user-create.dead.v1'] as const
  return { specversion, id: `${subject}:1`, source: 'users', type, subject, time, data }
}
