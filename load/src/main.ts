import { runCommand } from './command.ts'
import { lab } from './lab/lab.ts'
import { grpc } from './scenarios/grpc.ts'
import { http } from './scenarios/http.ts'
import { postman } from './scenarios/postman.ts'
import { queue } from './scenarios/queue.ts'
import { saga } from './scenarios/saga.ts'
import { onStage } from './stage.ts'

const RUN_MS_MAX = 30 * 60_000

process.exitCode = await runCommand(
  {
    name: 'pnpm load',
    scenarios: {
      postman: onStage(postman),
      saga: onStage(saga),
      http: onStage(http),
      grpc: onStage(grpc),
      queue: onStage(queue),
      lab,
    },
    runMsMax: RUN_MS_MAX,
  },
  process.argv.slice(2),
)
