/** What a caller asked for, and what therefore must become of it. */
export type Asked = { name: string; denied: boolean }

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What an answer may hold. Everything is doubted: the tool is here to find an answer that is wrong. */
export type Operation = {
  uuid?: unknown
  type?: unknown
  state?: unknown
  data?: { name?: unknown; approved?: unknown }
  response?: { state?: unknown; error?: unknown }
  error?: unknown
}

/** What is wrong with the answer to a create, or `null`. */
export function faultOfAccepted(asked: Asked, operation: Operation, location: unknown): string | null {
  return firstFault([
    [UUID_V7.test(String(operation.uuid)), `its id is ${operation.uuid}, which is no UUIDv7`],
    [location === `/operation/get/${operation.uuid}`, `its Location is ${location}`],
    [operation.data?.name === asked.name, `its name is ${operation.data?.name}`],
  ])
}

/** What is wrong with an operation as read after its end, or `null`. */
export function faultOfEnded(asked: Asked, uuid: string, operation: Operation): string | null {
  const state = asked.denied ? 'failed' : 'completed'
  const reason = operation.error
  return firstFault([
    [operation.uuid === uuid, `another one was read: ${operation.uuid}`],
    [operation.type === 'user-create', `its type is ${operation.type}`],
    [operation.data?.name === asked.name, `its name is ${operation.data?.name}`],
    [operation.state === state, `it is ${operation.state}, not ${state}`],
    [operation.response?.state === state, `its response is ${operation.response?.state}, not ${state}`],
    [operation.data?.approved === String(!asked.denied), `approved is ${operation.data?.approved}`],
    [reason === operation.response?.error, 'operation and response tell different reasons'],
    [(typeof reason === 'string' && reason !== '') === asked.denied, `its reason is ${reason}`],
  ])
}

function firstFault(promises: [kept: boolean, fault: string][]): string | null {
  return promises.find(([kept]) => !kept)?.[1] ?? null
}
