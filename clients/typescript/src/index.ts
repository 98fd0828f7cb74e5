export { WardPolicy } from './client.js';
export type { Given, MirrorStep, Options, Row, Snapshot, Tagged, Waiting, WriteOptions } from './client.js';
export { ProblemError } from './problem.js';
export { MemoryStore } from './store.js';
export type { Kept, Store } from './store.js';
export { VERSION } from './values.js';
export type * from './contract.js';
