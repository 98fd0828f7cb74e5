//! Works with the client that progenitor makes: reads and changes what the service has, and checks what it says.

use std::{env, error::Error};

use generated_client::{Client, Error as ClientError, types};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// 試験, as a header may say it.
const REASON: &str = "%E8%A9%A6%E9%A8%93";

/// A value that is another one.
fn changed(value: f64) -> f64 {
    (value.mul_add(10.0, 1.0)).round() / 10.0
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut headers = HeaderMap::new();
    let token = format!("Bearer {}", env::var("TOKEN")?);
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&token)?);
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    let client = Client::new_with_client(&env::var("URL")?, http);

    // All evaluations, page by page.
    let mut rows = Vec::new();
    let mut cursor = None;
    let total = loop {
        let mut request = client.list_evaluations().limit(4).include_total(true);
        if let Some(cursor) = cursor {
            request = request.cursor(cursor);
        }
        let page = request.send().await?.into_inner();
        rows.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break page.total;
        }
    };
    assert!(rows.len() > 4);
    assert_eq!(total, Some(rows.len().try_into()?));
    assert!(rows.iter().any(|row| row.outcome == types::Outcome::Achieved));

    // A policy with everything below it.
    let tree = client.read_policy_tree().organization("nishi").fiscal_year(2024);
    let tree = tree.send().await?.into_inner();
    let indicators: Vec<_> = tree.goals.into_iter().flat_map(|goal| goal.indicators).collect();
    assert_eq!(indicators.len(), rows.len());
    let has_value = |indicator: &&types::TreeIndicator| indicator.results.first().is_some_and(|it| it.value.is_some());
    let indicator = indicators.iter().find(has_value).ok_or("no value")?.id.clone();

    // A result, as long as nobody has changed it.
    let read = client.read_result().id(indicator.clone()).fiscal_year(2024).send().await?;
    let etag = read.headers().get("etag").ok_or("no tag")?.to_str()?.to_owned();
    let value = changed(read.value.as_ref().ok_or("no value")?.0);
    let store = || {
        let body = types::ResultInput::builder()
            .value(Some(types::Decimal(value)))
            .value_status(types::ValueStatus::Reported)
            .observation_status(types::ObservationStatus::Final);
        let request = client.replace_result().id(indicator.clone()).fiscal_year(2024);
        request.if_match(etag.as_str()).change_reason(REASON).body(body).send()
    };
    let stored = store().await?;
    assert_eq!(stored.value.as_ref().map(|it| it.0), Some(value));
    assert_ne!(stored.headers().get("etag").ok_or("no tag")?, etag.as_str());
    match store().await {
        Err(ClientError::ErrorResponse(problem)) => assert_eq!(problem.status(), 412),
        other => panic!("{other:?}"),
    }

    // A table as CSV.
    let table = format!("指標ID,年度,実績値\r\n{},2024,{}\r\n", *indicator, changed(value));
    let import = client.import_results().change_reason(REASON).body(table);
    let report = import.send().await?.into_inner();
    assert_eq!(report.format, types::ImportFormat::Csv);
    assert!(report.stored);
    assert_eq!(report.changed, 1);
    Ok(())
}
