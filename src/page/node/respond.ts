import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { PageFile } from './page-files.js'

/** Nothing comes from elsewhere, nothing is kept, nobody else has the page in a frame, and no text becomes a script. */
export const safeHeaders = {
  'Content-Security-Policy': [
    ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
    ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  Connection: 'close',
} as const

export function respond(
  response: ServerResponse,
  status: number,
  file: PageFile,
  more: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { ...safeHeaders, 'Content-Type': file.type, 'Content-Length': file.body.length, ...more })
  response.end(file.body)
}

/** Says something in a line. */
export function say(response: ServerResponse, status: number, text: string, more?: OutgoingHttpHeaders): void {
  respond(response, status, { type: 'text/plain; charset=utf-8', body: Buffer.from(`${text}\n`) }, more)
}

export function sayJson(response: ServerResponse, status: number, value: object): void {
  respond(response, status, { type: 'application/json', body: Buffer.from(`${JSON.stringify(value)}\n`) })
}

/** Sends a browser elsewhere. */
export function goTo(response: ServerResponse, path: string, more?: OutgoingHttpHeaders): void {
  say(response, 303, `see ${path}`, { Location: path, ...more })
}
