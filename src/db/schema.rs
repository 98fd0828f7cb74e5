//! The tables, as diesel sees them; a test compares them with the database.
#![expect(
    missing_docs,
    reason = "columns are described where they are shown, on the types of `resources`"
)]

diesel::table! {
    organizations (id) {
        id -> Uuid,
        slug -> Text,
        kind -> Text,
        municipality_code -> Nullable<Text>,
        name -> Text,
        name_kana -> Nullable<Text>,
        name_en -> Nullable<Text>,
        display_order -> Int4,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    policies (id) {
        id -> Uuid,
        organization_id -> Uuid,
        fiscal_year -> Int4,
        head_name -> Nullable<Text>,
        head_title -> Nullable<Text>,
        vision -> Nullable<Array<Text>>,
        mission -> Nullable<Array<Text>>,
        basic_approach -> Nullable<Array<Text>>,
        results_due_on -> Date,
        source -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        stage -> Text,
        plan_published_on -> Nullable<Date>,
        results_published_on -> Nullable<Date>,
        public -> Bool,
    }
}

diesel::table! {
    self_evaluations (id) {
        id -> Uuid,
        policy_id -> Uuid,
        self_evaluation -> Nullable<Array<Text>>,
        future_policy -> Nullable<Array<Text>>,
        public -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    goals (id) {
        id -> Uuid,
        policy_id -> Uuid,
        code -> Text,
        title -> Text,
        issue_recognition -> Nullable<Array<Text>>,
        strategies -> Nullable<Array<Text>>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        public -> Bool,
    }
}

diesel::table! {
    budgets (id) {
        id -> Uuid,
        goal_id -> Uuid,
        fiscal_year -> Int4,
        kind -> Text,
        status -> Text,
        amount_yen -> Nullable<Int8>,
        precision_yen -> Nullable<Int8>,
        text -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        policy_id -> Uuid,
        public -> Bool,
    }
}

diesel::table! {
    indicators (id) {
        id -> Uuid,
        goal_id -> Uuid,
        position -> Int4,
        kind -> Text,
        name -> Text,
        population -> Nullable<Text>,
        unit -> Nullable<Text>,
        decimals -> Int4,
        direction -> Text,
        series_id -> Uuid,
        comparable_with_previous -> Nullable<Bool>,
        comparable_reason -> Nullable<Text>,
        target_text -> Nullable<Text>,
        target_comparator -> Text,
        target_value -> Nullable<Numeric>,
        target_upper -> Nullable<Numeric>,
        target_reference -> Text,
        target_reference_year -> Nullable<Int4>,
        target_reference_value -> Nullable<Numeric>,
        target_period -> Text,
        target_period_from -> Nullable<Int4>,
        target_period_to -> Nullable<Int4>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        policy_id -> Uuid,
        public -> Bool,
        target_reference_name -> Nullable<Text>,
    }
}

diesel::table! {
    results (id) {
        id -> Uuid,
        indicator_id -> Uuid,
        fiscal_year -> Int4,
        value -> Nullable<Numeric>,
        cumulative_value -> Nullable<Numeric>,
        numerator -> Nullable<Numeric>,
        denominator -> Nullable<Numeric>,
        sample_size -> Nullable<Int8>,
        value_status -> Nullable<Text>,
        observation_status -> Text,
        text -> Nullable<Text>,
        comment -> Nullable<Text>,
        measured_on -> Nullable<Date>,
        declared_rating -> Nullable<Text>,
        stated_previous_value -> Nullable<Numeric>,
        stated_previous_text -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        policy_id -> Uuid,
        public -> Bool,
    }
}

diesel::table! {
    tokens (id) {
        id -> Uuid,
        name -> Text,
        handle -> Text,
        hash -> Bytea,
        scopes -> Array<Text>,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    token_uses (token_id) {
        token_id -> Uuid,
        last_used_at -> Timestamptz,
    }
}

diesel::table! {
    change_log (seq) {
        seq -> Int8,
        at -> Timestamptz,
        actor -> Text,
        token_id -> Nullable<Uuid>,
        request_id -> Nullable<Text>,
        op -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        row_id -> Uuid,
        organization_id -> Nullable<Uuid>,
        policy_id -> Nullable<Uuid>,
        key -> Jsonb,
        previous_key -> Nullable<Jsonb>,
        version -> Int8,
        fields -> Array<Text>,
        reason -> Nullable<Text>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        was_public -> Bool,
        is_public -> Bool,
        previous_hash -> Bytea,
        hash -> Bytea,
    }
}

diesel::table! {
    change_epoch (single) {
        single -> Bool,
        epoch -> Text,
    }
}

diesel::table! {
    revisions (id) {
        id -> Uuid,
        policy_id -> Uuid,
        number -> Int4,
        kind -> Text,
        reason -> Nullable<Text>,
        published_on -> Date,
        assumed -> Bool,
        seq -> Int8,
        shown_on -> Date,
        document -> Text,
        sha256 -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    stream_tickets (hash) {
        hash -> Bytea,
        token_id -> Uuid,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (token_id, key) {
        token_id -> Uuid,
        key -> Text,
        request -> Bytea,
        status -> Int4,
        location -> Nullable<Text>,
        body -> Bytea,
        created_at -> Timestamptz,
        digest -> Nullable<Bytea>,
    }
}

diesel::table! {
    /// A view: what the open write has changed so far of what everybody sees or saw.
    public_changes (seq) {
        seq -> Int8,
        #[sql_name = "type"]
        type_ -> Text,
        row_id -> Uuid,
        organization_id -> Nullable<Uuid>,
        policy_id -> Nullable<Uuid>,
        key -> Jsonb,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        was_public -> Bool,
    }
}

diesel::table! {
    /// A view: the history as the caller may see it.
    changes (seq) {
        seq -> Int8,
        at -> Timestamptz,
        actor -> Nullable<Text>,
        request_id -> Nullable<Text>,
        op -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        row_id -> Uuid,
        organization_id -> Nullable<Uuid>,
        key -> Jsonb,
        previous_key -> Nullable<Jsonb>,
        version -> Int8,
        fields -> Array<Text>,
        reason -> Nullable<Text>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        public -> Bool,
        hash -> Bytea,
    }
}

diesel::table! {
    /// A view: when results and indicators of organizations went, or indicators left their series, as far as the reader saw them.
    removals (seq) {
        seq -> Int8,
        organization_id -> Uuid,
        at -> Timestamptz,
    }
}

diesel::table! {
    /// A view: the policies that were ever published.
    published (policy_id) {
        policy_id -> Uuid,
        fiscal_year -> Int4,
        slug -> Text,
        municipality_code -> Nullable<Text>,
    }
}

diesel::define_sql_function! {
    /// Goal codes in the order of their numbers.
    fn goal_code_order(code: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// The name of an organization as it is read in forms.
    fn organization_name(name: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// Text as searched.
    fn search_folded(value: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// The characters and pairs of characters of a text.
    fn search_grams(value: diesel::sql_types::Text) -> diesel::sql_types::Array<diesel::sql_types::Text>;
}
diesel::define_sql_function! {
    /// The texts of an organization in which `q` is searched.
    fn organization_text(
        slug: diesel::sql_types::Text,
        name: diesel::sql_types::Text,
        kana: diesel::sql_types::Nullable<diesel::sql_types::Text>,
        english: diesel::sql_types::Nullable<diesel::sql_types::Text>,
    ) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// The texts of a goal in which `q` is searched.
    fn goal_text(
        title: diesel::sql_types::Text,
        issues: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        strategies: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
    ) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// The texts of a policy in which `q` is searched.
    fn policy_text(
        organization: diesel::sql_types::Text,
        head: diesel::sql_types::Nullable<diesel::sql_types::Text>,
        vision: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        mission: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        approach: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        evaluation: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        future: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
    ) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// Characters and pairs of characters that a text needs for a word to be found in it.
    fn search_candidates(word: diesel::sql_types::Text) -> diesel::sql_types::Array<diesel::sql_types::Text>;
}
diesel::define_sql_function! {
    /// Where a text begins in another, from 1; 0 where it does not.
    fn strpos(value: diesel::sql_types::Text, part: diesel::sql_types::Text) -> diesel::sql_types::Int4;
}

diesel::define_sql_function! {
    /// The version of a policy together with its self-evaluation.
    fn whole_version(policy: diesel::sql_types::Int8, self_evaluation: diesel::sql_types::Nullable<diesel::sql_types::Int8>) -> diesel::sql_types::Int8;
}
diesel::define_sql_function! {
    /// When a policy or its self-evaluation last changed.
    fn latest(policy: diesel::sql_types::Timestamptz, self_evaluation: diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>) -> diesel::sql_types::Timestamptz;
}

diesel::table! {
    derived.tallied (organization_id) {
        organization_id -> Uuid,
        rules -> Int4,
        held_rules -> Int4,
        marked_in -> Int8,
    }
}

diesel::table! {
    derived.tallies (organization_id) {
        organization_id -> Uuid,
        policy_year -> Int4,
        fiscal_year -> Int4,
        kind -> Text,
        due_on -> Date,
        late -> Nullable<Bool>,
        outcome -> Text,
        reason -> Nullable<Text>,
        rating -> Nullable<Text>,
        inconsistent -> Bool,
        count -> Int4,
    }
}

diesel::table! {
    derived.counted (organization_id) {
        organization_id -> Nullable<Uuid>,
        policy_year -> Int4,
        fiscal_year -> Int4,
        kind -> Text,
        due_on -> Date,
        late -> Nullable<Bool>,
        outcome -> Text,
        reason -> Nullable<Text>,
        rating -> Nullable<Text>,
        inconsistent -> Bool,
        count -> Int4,
    }
}

diesel::table! {
    derived.kept_answers (token_id) {
        token_id -> Uuid,
        keys -> Int8,
        bytes -> Int8,
    }
}

diesel::joinable!(policies -> organizations (organization_id));
diesel::joinable!(self_evaluations -> policies (policy_id));
diesel::joinable!(goals -> policies (policy_id));
diesel::joinable!(budgets -> goals (goal_id));
diesel::joinable!(indicators -> goals (goal_id));
diesel::joinable!(results -> indicators (indicator_id));

diesel::allow_tables_to_appear_in_same_query!(
    organizations,
    policies,
    self_evaluations,
    goals,
    budgets,
    indicators,
    results,
    revisions,
    published,
    change_log,
    changes,
    public_changes,
    removals,
    tokens,
    token_uses,
    counted
);
