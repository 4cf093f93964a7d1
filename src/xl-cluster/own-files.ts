import { realpathSync } from 'node:fs'

/** The file of this command, without links to it: it stays where the package is. */
export const commandFile = realpathSync(process.argv[1] ?? '')
