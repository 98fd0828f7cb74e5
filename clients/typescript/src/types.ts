import type { paths } from './contract.js';

/** What the generated types say of a method of an address. */
type Operation<M extends string, P extends keyof paths> = paths[P] extends { [K in M]: infer O } ? O : never;

type Json<C> = C extends { 'application/json': infer J } ? J : C extends { 'application/ld+json': infer J } ? J : never;
type Body<S> = S extends { content: infer C } ? Json<C> : undefined;
type Success<R> = { [S in keyof R & (200 | 201 | 204)]: Body<R[S]> }[keyof R & (200 | 201 | 204)];

/** What is answered. */
export type Answer<M extends string, P extends keyof paths> =
  Operation<M, P> extends { responses: infer R } ? Success<R> : never;

/** What is sent. */
export type Sent<M extends string, P extends keyof paths> =
  Operation<M, P> extends { requestBody: { content: infer C } }
    ? C extends { 'application/json': infer J }
      ? J
      : C extends { 'application/merge-patch+json': infer J }
        ? J
        : never
    : undefined;

/** One value or several; what is any text may be a number. */
type Loose<V> = V extends readonly (infer U)[] ? Text<U> | readonly Text<U>[] : V;
type Text<V> = V extends string ? (string extends V ? V | number : V) : V;
type In<O, W extends string> = O extends { parameters: { [K in W]?: infer V } } ? NonNullable<V> : never;
type Flat<V> = [V] extends [never] ? object : { [K in keyof V as Exclude<K, 'format'>]: Loose<V[K]> };

/** The parameters of the path and those of the query, under their names. The format is JSON. */
export type Parameters<M extends string, P extends keyof paths> = object &
  Flat<In<Operation<M, P>, 'path'>> &
  Flat<In<Operation<M, P>, 'query'>>;

/** The addresses that answer a method with JSON. */
export type PathOf<M extends string> = {
  [P in keyof paths]: [Answer<M, P>] extends [never] ? never : [Sent<M, P>] extends [never] ? never : P;
}[keyof paths];

/** The addresses of lists, and what is in one. */
export type ListPath = {
  [P in PathOf<'get'>]: Answer<'get', P> extends { items: unknown[]; next_cursor: string | null } ? P : never;
}[PathOf<'get'>];
export type Item<P extends ListPath> = Answer<'get', P> extends { items: (infer I)[] } ? I : never;

/** An argument that may be left out where nothing in it is required. */
export type Given<A> = object extends A ? [argument?: A] : [argument: A];
