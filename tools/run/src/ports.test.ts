import { expect, test } from 'vitest'
import { demandFree, needsOf, replicaPorts } from './ports.ts'

const base = {
  appPort: 8082,
  daprHttpPort: 3502,
  daprGrpcPort: 13502,
  daprInternalGrpcPort: 23502,
  metricsPort: 19502,
}

test('the first replica has the ports of dapr.yaml', () => {
  expect(replicaPorts(base, 0, 0)).toEqual(base)
})

test('the third replica of a second shop is 200 beyond its offset', () => {
  expect(replicaPorts(base, 1000, 2)).toMatchObject({
    appPort: 9282,
    daprHttpPort: 4702,
    metricsPort: 20_702,
  })
})

test('every port of a replica is demanded, with its owner', () => {
  const needs = needsOf('users', base)
  expect(needs.map((need) => need.port).sort()).toEqual(Object.values(base).sort())
  expect(needs.every((need) => need.who.includes('users'))).toBe(true)
})

test('a port that the kernel may hand out is refused before anything is tried', async () => {
  await expect(demandFree([{ port: 33_000, who: 'Kafka' }])).rejects.toThrow(
    'port 33000 of Kafka is not below 32768',
  )
})

test('two that want the same port are both named', async () => {
  const needs = [
    { port: 8080, who: 'apigateway' },
    { port: 8080, who: 'users' },
  ]
  await expect(demandFree(needs)).rejects.toThrow('port 8080 is wanted twice: by apigateway and by users')
})
