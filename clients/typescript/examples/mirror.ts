// Keeps a copy of everything in mirror.db, and goes on for ever, with Node 24: node mirror.ts http://127.0.0.1:8080
import { DatabaseSync } from 'node:sqlite';
import { WardPolicy } from 'ward-policy-client';

const api = new WardPolicy(process.argv[2] ?? 'http://127.0.0.1:8080', { attempts: 8 });
const db = new DatabaseSync('mirror.db');
db.exec('create table if not exists things (type text, id text, state text, primary key (type, id))');
db.exec('create table if not exists place (one integer primary key, cursor text)');
const store = db.prepare('insert or replace into things values (?, ?, ?)');
const drop = db.prepare('delete from things where type = ? and id = ?');
const known = db.prepare('select cursor from place').get()?.['cursor'];

for await (const step of api.mirror(typeof known === 'string' ? known : null)) {
  db.exec('begin');
  try {
    if (step.anew) db.exec('delete from things');
    for await (const row of step.rows) {
      if (row.state === null) drop.run(row.type, row.id);
      else store.run(row.type, row.id, JSON.stringify(row.state));
    }
    // They are computed, and a day may turn them: they are asked for at each step, and seldom sent.
    db.exec("delete from things where type = 'evaluation'");
    for await (const row of api.items('/v1/evaluations', { limit: 1000 })) {
      store.run('evaluation', `${row.indicator_id}/${row.fiscal_year}`, JSON.stringify(row));
    }
    db.prepare('insert or replace into place values (1, ?)').run(step.cursor);
    db.exec('commit');
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
}
