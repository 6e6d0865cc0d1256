import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { freePort } from '@tideshop/runtime/free-port'
import { expect, onTestFinished, test } from 'vitest'

const OPEN_EARLY = new URL('../src/open-early.ts', import.meta.url).href
const PATIENCE = { timeout: 10_000, interval: 20 }

test('who asks before the service is there is answered when it is, and so is who comes later', async () => {
  const port = await freePort()
  const service = fork(new URL('late-service.ts', import.meta.url), {
    env: { ...process.env, PORT: String(port) },
    execArgv: ['--import', OPEN_EARLY],
  })
  onTestFinished(() => void service.kill('SIGKILL'))
  await expect.poll(() => isOpen(port), PATIENCE).toBe(true)

  const early = fetch(`http://127.0.0.1:${port}`).then((response) => response.text())
  service.send('be there')
  await once(service, 'message')
  expect(await early).toBe('served')
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('served')

  service.send('leave')
  expect(await once(service, 'exit')).toEqual([0, null])
  expect(await isOpen(port)).toBe(false)
})

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const opened = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return opened
}
