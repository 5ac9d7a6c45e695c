// What the behaviours are written with: a server's URL, fresh databases on it, and plain HTTP.
import assert from 'node:assert/strict'
import http from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
export const PouchDB = require('pouchdb')
PouchDB.plugin(require('pouchdb-adapter-memory'))
export { assert }

const hex = letter => letter.repeat(32)
export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(hex)

/** A revision as another replica made it: `revision('x', [B, A])` is 2-b after 1-a. */
export const revision = (id, digests, fields = {}) => ({
  _id: id,
  _rev: `${digests.length}-${digests[0]}`,
  _revisions: { start: digests.length, ids: digests },
  ...fields
})

let count = 0

export class Server {
  constructor (url) { this.url = url }

  /** A fresh database: its name, its address, and a PouchDB on it. */
  async db () {
    const name = `conformance-${process.pid}-${++count}`
    const at = `/${name}`
    await this.ok('PUT', at)
    return { name, at, url: this.url + at, pouch: new PouchDB(this.url + at, { skip_setup: true }) }
  }

  /** A request; the answer's status, headers and body, parsed where it is JSON. A string body goes as it is. */
  async ask (method, path, body, headers = {}) {
    const raw = typeof body === 'string' || body instanceof Uint8Array
    const answer = await fetch(this.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers },
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body)
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    let json
    try { json = JSON.parse(bytes.toString()) } catch { /* not JSON */ }
    return { status: answer.status, headers: answer.headers, bytes, text: bytes.toString(), json }
  }

  /** The JSON of an answer that must be a success. */
  async ok (method, path, body, headers) {
    const answer = await this.ask(method, path, body, headers)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`)
    return answer.json
  }

  /** The status and error name of an answer that must be a failure. */
  async fails (method, path, body, headers) {
    const answer = await this.ask(method, path, body, headers)
    assert.ok(answer.status >= 400, `${method} ${path} should have failed: ${answer.text.slice(0, 300)}`)
    return `${answer.status} ${answer.json?.error}`
  }

  /** Revisions as they are. */
  async graft (db, ...docs) {
    const rows = await this.ok('POST', `${db.at}/_bulk_docs`, { docs, new_edits: false })
    assert.deepEqual(rows, [])
  }

  /** Lines of a stream as they come, until `enough(lines)`; then it is hung up, unless the server ended it. */
  lines (path, enough = () => false) {
    return new Promise((resolve, reject) => {
      const request = http.get(this.url + path, { agent: false }, answer => {
        let text = ''
        const done = ended => resolve({ lines: text.split('\n'), text, ended, headers: answer.headers })
        answer.setEncoding('utf8')
        answer.on('data', piece => {
          text += piece
          if (enough(text.split('\n'))) { request.destroy(); done(false) }
        })
        answer.on('end', () => done(true))
        answer.on('error', () => {})
      })
      request.on('error', reject)
    })
  }
}

/** Collects the behaviours of one file: `peer` says why pouchdb-server does otherwise, where it does. */
export const behaviours = () => {
  const list = []
  const it = (name, run, { peer } = {}) => list.push({ name, run, peer })
  return { list, it }
}
