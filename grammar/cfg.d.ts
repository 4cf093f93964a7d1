import type { ConfigReader } from './config-reader.js'

/** Reads a configuration text to its end and tells `reader` everything that stands in it; it accepts every text. */
export function parse(text: string, options: { reader: ConfigReader }): void
