import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { type HttpParts, httpApp } from '@tideshop/kit/http'
import { type InboxParts, on, subscribe } from '@tideshop/kit/inbox'
import type { Express } from 'express'
import type { UserStore } from './store.ts'
import { decideUser, registerUser } from './user.ts'

export type UsersParts = InboxParts & HttpParts & { users: UserStore }

export function usersApp(parts: UsersParts): Express {
  const { users, now } = parts
  return httpApp(parts, (app) => {
    subscribe(app, parts, [
      on(userCreate, (asked) => users.changeAll(asked, (user, event) => registerUser(user, event, now()))),
      on(userApproveResponse, (told) =>
        users.changeAll(told, (user, event) => decideUser(user, event, now())),
      ),
    ])
  })
}
