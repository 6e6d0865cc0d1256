import { expect, test } from 'vitest'
import { daprInvoke } from './invoke.ts'
import type { Sidecar, SidecarResponse } from './sidecar.ts'

const json = 'application/json; charset=utf-8'

function answered(status: number, contentType: string | undefined, body: string): SidecarResponse {
  return { status, headers: { 'content-type': contentType }, body: Buffer.from(body) }
}

function invokeOver(answer: () => SidecarResponse) {
  return daprInvoke({ send: async () => answer() } as unknown as Sidecar)
}

test.each([
  ['what was asked for', answered(202, json, '{"uuid":"1"}')],
  ['a refusal', answered(404, 'application/problem+json', '{"title":"not-found"}')],
])('%s is the answer of the service', async (_, answer) => {
  const invoke = invokeOver(() => answer)
  const said = JSON.parse(answer.body.toString())
  expect(await invoke('operations', 'POST', 'create')).toEqual({
    status: answer.status,
    said,
  })
})

test.each([
  ['nothing under a status of success', answered(200, undefined, '')],
  ['half an answer', answered(202, json, '{"uuid":"1')],
  ['half a refusal', answered(404, 'application/problem+json', '')],
  ['what a server says of a request that it cannot read', answered(400, undefined, '')],
  ['an error of the sidecar', answered(500, json, '{"errorCode":"ERR_DIRECT_INVOKE"}')],
  ['what is no document', answered(200, json, '1')],
])('%s means that the service did not answer', async (_, answer) => {
  const invoke = invokeOver(() => answer)
  const post = invoke('operations', 'POST', 'create')
  // Whoever changes something cannot know whether it was done.
  await expect(post).rejects.toMatchObject({ code: 'uncertain' })
  const get = invoke('operations', 'GET', 'get')
  await expect(get).rejects.toMatchObject({ code: 'unavailable' })
})

test('a sidecar that is away means that the service did not answer', async () => {
  const invoke = invokeOver(() => {
    throw new Error('ECONNREFUSED')
  })
  const post = invoke('operations', 'POST', 'create')
  await expect(post).rejects.toMatchObject({ code: 'uncertain' })
})
