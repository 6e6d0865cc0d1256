import { changeAll, type Decide, type Rows } from '@tideshop/kit/aggregates'
import type { Result } from '@tideshop/kit/inbox'
import { type MongoRow, mongoRows } from '@tideshop/kit/mongo'
import type { Db } from 'mongodb'
import type { User } from './user.ts'

export type UserStore = {
  /** Applies each message to the user it is about. `decide` may run more than once, so it must be pure. */
  changeAll: <M extends { data: { userId: string } }>(
    messages: readonly M[],
    decide: Decide<User, M>,
  ) => Promise<readonly Result[]>
}

export function userStore(rows: Rows<User>): UserStore {
  return {
    changeAll: (messages, decide) => changeAll(rows, messages, ({ data }) => data.userId, decide),
  }
}

export function mongoUsers(db: Db): UserStore {
  return userStore(mongoRows(db.collection<MongoRow<User>>('users')))
}
