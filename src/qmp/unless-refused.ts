import { QmpError } from './qmp-error.js'

/** For `catch`: a refusal says that what was to be done is done already. @throws what is no refusal */
export function unlessRefused(error: unknown): void {
  if (!(error instanceof QmpError && error.code === 'refused')) throw error
}
