// pouchdb-server in memory on a free port, as pouchdb-server itself puts it together, without its admin pages.
// Prints {"url"} when it listens, and ends with its standard input, so that nothing outlives the tests.
import { mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
process.chdir(mkdtempSync(join(tmpdir(), 'peer-')))

const express = require('express')
const PouchDB = require('pouchdb').defaults({ adapter: 'memory' })
PouchDB.plugin(require('pouchdb-adapter-memory'))
const app = express()
app.use('/', require('express-pouchdb')(PouchDB, { inMemoryConfig: true, logPath: '/dev/null', mode: 'fullCouchDB' }))
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
})
// Some requests make it throw outside of any handler; it is to go on, and the request to fail.
process.on('uncaughtException', () => {})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
