create table organizations (
    id uuid primary key,
    slug text not null,
    kind text not null,
    municipality_code text,
    name text not null,
    name_kana text,
    name_en text,
    display_order integer not null,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint organizations_slug_unique unique (slug),
    constraint organizations_slug_format check (slug ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' and length(slug) <= 63),
    constraint organizations_kind_known check (kind in ('ward', 'bureau')),
    constraint organizations_municipality_code_unique unique (municipality_code),
    -- The sixth digit checks the other five (JIS X 0401/0402, weights 6 to 2, modulo 11).
    constraint organizations_municipality_code_check_digit check (
        municipality_code ~ '^[0-9]{6}$'
        and (11 - (substr(municipality_code, 1, 1)::integer * 6 + substr(municipality_code, 2, 1)::integer * 5
                 + substr(municipality_code, 3, 1)::integer * 4 + substr(municipality_code, 4, 1)::integer * 3
                 + substr(municipality_code, 5, 1)::integer * 2) % 11) % 10 = substr(municipality_code, 6, 1)::integer
    ),
    constraint organizations_municipality_code_of_wards check ((kind = 'ward') = (municipality_code is not null)),
    constraint organizations_name_not_blank check (btrim(name) <> ''),
    constraint organizations_display_order_range check (display_order between 0 and 9999)
);
create index organizations_display_order_idx on organizations (display_order, id);
select keep_touched('organizations');
