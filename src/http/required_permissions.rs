//! The permission that each operation requires, as the OpenAPI document states it.

use std::collections::HashMap;

use actix_web::{dev::ServiceRequest, http::Method, web};
use serde_json::{Value, json};
use utoipa::openapi::{OpenApi, path::Operation};

use crate::auth::{Permission, RequiredPermission};

/// The required permission of each operation, read from the OpenAPI document, where handlers state it.
#[derive(Debug)]
pub struct RequiredPermissions(HashMap<(Method, String), RequiredPermission>);

impl RequiredPermissions {
    /// The required permissions of every operation.
    #[must_use]
    pub fn of(spec: &OpenApi) -> Self {
        let mut needs = HashMap::new();
        for (path, item) in &spec.paths.paths {
            for (method, operation) in [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ] {
                let Some(operation) = operation else { continue };
                needs.insert((method, path.clone()), need(operation));
            }
        }
        Self(needs)
    }

    /// The permission that the operation of this method requires at the path of a request.
    pub(crate) fn of_request(req: &ServiceRequest, method: &Method) -> RequiredPermission {
        // The path as it will be routed: percent-decoded.
        let pattern = req.resource_map().match_pattern(req.match_info().as_str());
        let needs = req.app_data::<web::Data<Self>>();
        needs.map_or(RequiredPermission::Admin, |needs| needs.get(method, pattern))
    }

    pub(crate) fn get(&self, method: &Method, pattern: Option<String>) -> RequiredPermission {
        // A path and method without an operation answer 404 or 405 to anybody.
        let operation = (method.clone(), pattern.unwrap_or_default());
        self.0.get(&operation).copied().unwrap_or(RequiredPermission::Nothing)
    }
}

/// The permission that an operation requires, by its statement. Without a statement it requires admin: fail closed.
#[must_use]
pub fn need(operation: &Operation) -> RequiredPermission {
    let stated = serde_json::to_value(&operation.security).unwrap_or_default();
    let open = stated.as_array().is_some_and(|ways| ways.contains(&json!({})));
    let any = stated
        .as_array()
        .is_some_and(|ways| ways.contains(&json!({ "token": [] })));
    let scope = stated.pointer("/0/token/0").and_then(Value::as_str).unwrap_or_default();
    match Permission::named(scope) {
        _ if open => RequiredPermission::Nothing,
        _ if any => RequiredPermission::AnyToken,
        Some(permission) => RequiredPermission::Scope(permission),
        None => RequiredPermission::Admin,
    }
}
