-- By which rules the counts of an organization were made until a transaction marked them, and which transaction that was: it may bring
-- them up to date by what it has changed. Of counts that another one has marked nobody knows what they lack.
alter table derived.tallied add column held_rules integer not null default 0;
alter table derived.tallied add column marked_in bigint not null default 0;
