import { expect, test } from 'vitest'
import { pretty, understand } from './log-lines.ts'

const at = new Date(0)

test('a line of a service is its message and what belongs to it, without what every line repeats', () => {
  const text =
    '{"level":30,"time":1,"pid":2,"hostname":"h","name":"users","msg":"handled","topic":"user-create","count":20}'
  expect(understand(text)).toEqual({
    level: 'info',
    message: 'handled',
    fields: { topic: 'user-create', count: '20' },
  })
  expect(pretty({ source: 'users', text, at }, 10, false)).toBe(
    'users      · handled topic=user-create count=20',
  )
})

test('a trace is shown by its beginning, which finds it in the log file', () => {
  const text = '{"level":30,"msg":"message","trace":"ce839d498836c7106b5c6f394855b2bb","outcome":"done"}'
  expect(pretty({ source: 'users', text, at }, 5, false)).toBe('users · message trace=ce839d49 outcome=done')
})

test('an error is told by its message; the stack stays in the file', () => {
  const text =
    '{"level":50,"msg":"broken","err":{"type":"Error","message":"no route","stack":"Error: no route\\n at x"}}'
  expect(pretty({ source: 'users', text, at }, 5, false)).toBe('users · error broken err=no route')
})

test('a line of daprd is understood, quoted words included', () => {
  const text = String.raw`time="2026-11-21T02:16:07Z" level=warning msg="topic \"x\" is gone" app_id=users instance=vm scope=dapr.contrib component="user-create (pubsub.kafka/v1)" type=log ver=1`
  expect(understand(text)).toEqual({
    level: 'warn',
    message: 'topic "x" is gone',
    fields: { component: 'user-create (pubsub.kafka/v1)' },
  })
})

test('what daprd warns of and this shop chose is no warning', () => {
  const text = 'time="t" level=warning msg="mTLS is disabled. Skipping certificate request" app_id=users'
  expect(understand(text).level).toBe('info')
})

test('a line of Kafka has a level', () => {
  const text =
    '02:29:20.797 [quorum-controller-1] WARN QuorumController - [id=1] Performing controller activation.'
  expect(understand(text)).toEqual({
    level: 'warn',
    message: '[id=1] Performing controller activation.',
    fields: {},
  })
})

test.for(['plain words', '{"not":"pino"}', '{broken', 'time=later'])(
  'anything else is shown as it is: %s',
  (text) => {
    expect(understand(text).level).toBe('info')
    expect(pretty({ source: 'users', text, at }, 5, false)).toMatch(/^users · ?/)
  },
)

test('colours are there only when asked for, and an app and its sidecar share one', () => {
  const line = (source: string) => pretty({ source, text: 'hello', at }, 0, true)
  const colour = (text: string) => text.slice(0, text.indexOf('users'))
  expect(colour(line('users'))).toContain('\u001b[')
  expect(colour(line('users/daprd'))).toBe(colour(line('users')))
  expect(colour(line('users-2'))).toBe(colour(line('users')))
  expect(pretty({ source: 'users', text: 'hello', at }, 0, false)).toBe('users · hello')
})
