//! The limit of an answer from memory: a handler that does nothing but give the same bytes.

use std::fs;

use actix_web::{
    App, HttpResponse, HttpServer,
    http::StatusCode,
    rt::System,
    web::{self, Bytes},
};

use crate::Outcome;

/// Serves one answer to everything: `port status headers-file body-file`.
pub(crate) fn serve(arguments: &[String]) -> Outcome<()> {
    let [port, status, headers, body] = arguments else {
        return Err("bare: port, status, headers, body".into());
    };
    let port: u16 = port.parse()?;
    let status = StatusCode::from_u16(status.parse()?)?;
    let headers: Vec<(String, String)> = fs::read_to_string(headers)?
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = Bytes::from(fs::read(body)?);
    System::new().block_on(async move {
        HttpServer::new(move || {
            let (headers, body) = (headers.clone(), body.clone());
            App::new().default_service(web::to(move || {
                let mut response = HttpResponse::build(status);
                for (name, value) in &headers {
                    response.insert_header((name.as_str(), value.as_str()));
                }
                let body = body.clone();
                async move { response.body(body) }
            }))
        })
        .workers(2)
        .bind(("127.0.0.1", port))?
        .run()
        .await
    })?;
    Ok(())
}
