import { setTimeout as sleep } from 'node:timers/promises'
import { type UserApprove, userApprove } from '@tideshop/contracts/users'
import { type HttpParts, httpApp } from '@tideshop/kit/http'
import { type InboxParts, on, type Result, subscribe } from '@tideshop/kit/inbox'
import type { Express } from 'express'
import { type DenyList, decideApproval } from './approval.ts'

/** Approvals in work at once in one replica; the rest of a batch waits its turn. */
const AT_ONCE_MAX = 1000

export type ApprovalsParts = InboxParts &
  HttpParts & {
    denied: DenyList
    /** Milliseconds that one approval takes; many wait side by side. */
    workMs: number
  }

export function approvalsApp(parts: ApprovalsParts): Express {
  return httpApp(parts, (app) => {
    subscribe(app, parts, [on(userApprove, (asked) => decideAll(parts, asked))])
  })
}

async function decideAll(parts: ApprovalsParts, asked: readonly UserApprove[]): Promise<Result[]> {
  const results: Result[] = []
  for (let first = 0; first < asked.length; first += AT_ONCE_MAX) {
    const atOnce = asked.slice(first, first + AT_ONCE_MAX)
    results.push(...(await Promise.all(atOnce.map((question) => decideOne(parts, question)))))
  }
  return results
}

async function decideOne({ denied, workMs, now }: ApprovalsParts, question: UserApprove): Promise<Result> {
  // The work itself: system D's approver thinks for 200 ms.
  if (workMs > 0) await sleep(workMs)
  return { outcome: 'done', tell: [decideApproval(question, denied, now())] }
}
