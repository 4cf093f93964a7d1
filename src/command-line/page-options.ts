/** The options by which a command that serves says where its page is, and who may see it. */
export const pageOptions = [
  { name: 'page', takes: 'ADDR', help: 'a page for browsers: at this PORT, HOST:PORT or path' },
  { name: 'page-token', takes: 'FILE', file: true, help: 'the secret to log in with; made where there is none' },
  { name: 'page-tls', takes: 'DIR', file: true, help: 'a folder with cert.pem and key.pem: the page by HTTPS' },
  { name: 'page-host', takes: 'NAME', help: 'a name by which browsers may ask for the page, too' },
] as const

export type PageOptionName = (typeof pageOptions)[number]['name']
