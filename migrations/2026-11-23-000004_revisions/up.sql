-- What was published, as it was: numbered, never changed.
create table revisions (
    id uuid primary key,
    policy_id uuid not null,
    number integer not null,
    kind text not null,
    reason text,
    published_on date not null,
    -- Whether the day is assumed, since nobody noted it.
    assumed boolean not null,
    -- The last change that the revision shows, and the day by which it tells what is due.
    seq bigint not null,
    shown_on date not null,
    -- The whole policy as canonical JSON (RFC 8785), and the SHA-256 of these bytes.
    document text not null,
    sha256 text not null,
    created_at timestamptz not null default write_time(),
    constraint revisions_policy_exists foreign key (policy_id) references policies (id),
    constraint revisions_number_unique unique (policy_id, number),
    constraint revisions_number_positive check (number > 0),
    constraint revisions_kind_known check (kind in ('plan', 'results', 'correction', 'withdrawal')),
    constraint revisions_reason_stated check (kind in ('plan', 'results') or btrim(reason) <> ''),
    constraint revisions_sha256_of_document check (sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex'))
);
create trigger revisions_append_only before update or delete on revisions for each row execute function refuse_change();
create trigger revisions_not_emptied before truncate on revisions for each statement execute function refuse_change();
select keep_history('revisions', 'revision',
    'join public.policies p on p.id = t.policy_id join public.organizations o on o.id = p.organization_id', 'p.organization_id', 't.policy_id',
    $$jsonb_build_object('organization', o.slug, 'fiscal_year', p.fiscal_year, 'revision', t.number)$$,
    version => 't.number', public => 'true', dropped => '{document}');
