/** The shop did not do what it has to: there is no figure, and the exit code is 1 (main.ts). */
export class BrokenRun extends Error {}
