/** An import of node:fs loads all of the streams too, which takes a tenth of the command's whole time. */
export const fs = process.getBuiltinModule('node:fs')
