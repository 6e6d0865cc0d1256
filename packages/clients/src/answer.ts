import type { InvokeResponse } from '@tideshop/kit/invoke'
import { refusalOf } from '@tideshop/kit/refusal'
import type { ZodType } from 'zod'

/** What a service answered, as its contract has it. Throws its refusal, or an error where it answered something else. */
export function answerIn<T>(appId: string, schema: ZodType<T>, { status, said }: InvokeResponse): T {
  if (status !== 200) throw refusalOf(said) ?? new Error(`${appId} answered ${status}`)
  return schema.parse(said)
}
