import { request } from 'node:http'
import { eventually } from '../protocol-d/eventually.js'
import { sampleValue } from './values.js'

/** What a command has at /metrics of a unix socket. */
export const scrape = (socketPath: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics', agent: false }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
      })
      response.on('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode}: ${body}`)),
      )
    })
    asked.on('error', reject)
    asked.end()
  })

/** Scrapes until a sample is as it is to be. @returns what was scraped */
export async function scrapeUntil(
  path: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  isSo: (value: number | undefined) => boolean,
): Promise<string> {
  let text = ''
  await eventually(
    `${name} ${JSON.stringify(labels)} is so`,
    async () => {
      text = await scrape(path)
      return isSo(sampleValue(text, name, labels))
    },
    () => text,
  )
  return text
}
