-- Functions and views stand once, in `src/db/definitions`: they are defined there as a whole, after the migrations, when their text or
-- the migrations have changed. What indexes, defaults and types call stays in the migrations, since a new text would not reach what they
-- hold already.

-- The definitions that this database has had: a digest of their text and of the migrations.
create table derived.definitions (
    digest text primary key,
    defined_at timestamptz not null default now()
);

-- The names of what were `everybody` and `past`, which remain for instances of the version before.
create schema published_view;
create schema as_of;
