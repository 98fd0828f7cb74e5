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
        self_evaluation -> Nullable<Array<Text>>,
        future_policy -> Nullable<Array<Text>>,
        results_due_on -> Date,
        source -> Nullable<Text>,
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
    }
}

diesel::define_sql_function! {
    /// Goal codes in the order of their numbers.
    fn goal_code_order(code: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// Text as searched.
    fn search_text(value: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
diesel::define_sql_function! {
    /// The characters and pairs of characters of a text.
    fn search_grams(value: diesel::sql_types::Text) -> diesel::sql_types::Array<diesel::sql_types::Text>;
}
diesel::define_sql_function! {
    /// Where a text begins in another, from 1; 0 where it does not.
    fn strpos(value: diesel::sql_types::Text, part: diesel::sql_types::Text) -> diesel::sql_types::Int4;
}

diesel::joinable!(policies -> organizations (organization_id));
diesel::joinable!(goals -> policies (policy_id));
diesel::joinable!(budgets -> goals (goal_id));
diesel::joinable!(indicators -> goals (goal_id));
diesel::joinable!(results -> indicators (indicator_id));

diesel::allow_tables_to_appear_in_same_query!(organizations, policies, goals, budgets, indicators, results);
