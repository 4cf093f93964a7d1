import { fs } from '../command-line/fs.js'
import { calling } from '../command-line/system-error.js'

/** The text of a configuration file. @throws SystemError */
export const configText = (file: string): string => calling(file, () => fs.readFileSync(file, 'utf8'))
