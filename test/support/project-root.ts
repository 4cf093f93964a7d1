import { fileURLToPath } from 'node:url'

/** The project's folder; the tests run from build/test/support. */
export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url))
