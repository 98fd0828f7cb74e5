//! The contract: the document on file is the one served, it keeps the rules of its house, and every answer keeps it.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use ward_policy::{
    domain::municipality_code,
    server::{app, openapi},
};

use crate::support::Answer;

/// What answers are held against.
pub(crate) static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::new);

pub(crate) struct Contract {
    spec: Value,
    /// The document with closed objects: an answer has the members it documents and no other.
    closed: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// An operation, and where it is.
pub(crate) struct Operation<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) is: &'a Value,
}

impl Operation<'_> {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// Whether it takes this parameter or header.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.parameters().iter().any(|parameter| parameter["name"] == name)
    }

    pub(crate) fn parameters(&self) -> &[Value] {
        self.is["parameters"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

impl Contract {
    fn new() -> Self {
        let spec = serde_json::to_value(app::spec()).unwrap();
        let mut closed = json!({ "components": { "schemas": spec["components"]["schemas"] } });
        each_mut(&mut closed, &mut |object| {
            if object.get("properties").is_some_and(Value::is_object) {
                object.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        });
        Self {
            spec,
            closed,
            validators: Mutex::default(),
        }
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.spec["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, is)| Operation { method, path, is })
        })
    }

    /// What a reference refers to; what is no reference is itself.
    pub(crate) fn resolved<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str() {
            Some(to) => self.spec.pointer(to.trim_start_matches('#')).unwrap(),
            None => part,
        }
    }

    /// The operation a request is for: of several paths that match, the one that is stated most literally.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let path = path.split('?').next().unwrap_or_default();
        let method = if method == "HEAD" { "GET" } else { method };
        let matching = || {
            self.operations().filter(|operation| {
                let (mut asked, mut stated) = (path.split('/'), operation.path.split('/'));
                let alike = asked
                    .by_ref()
                    .zip(stated.by_ref())
                    .all(|(a, s)| a == s || (s.starts_with('{') && !a.is_empty()));
                alike && path.split('/').count() == operation.path.split('/').count()
            })
        };
        let variable = |operation: &Operation<'_>| operation.path.matches('{').count();
        let literal = matching().map(|operation| variable(&operation)).min()?;
        matching().find(|operation| variable(operation) == literal && operation.method.eq_ignore_ascii_case(method))
    }

    /// Fails unless the answer is one the contract allows; the operation it is for.
    #[track_caller]
    pub(crate) fn check(&self, method: &str, path: &str, answer: &Answer) -> Option<String> {
        let status = answer.status;
        let at = format!(
            "{method} {path}\n{status} {}",
            String::from_utf8_lossy(&answer.bytes)
                .chars()
                .take(3000)
                .collect::<String>()
        );
        let id = answer.header("x-request-id");
        assert!((1..=64).contains(&id.len()), "no request id: {at}");
        if status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{at}");
            self.validate("#/components/schemas/Problem", &answer.body, &at);
            let path = path.split('?').next().unwrap();
            assert!(
                answer.body["status"] == status
                    && answer.body["request_id"] == id
                    && path.starts_with(answer.body["instance"].as_str().unwrap()),
                "not about this request: {at}"
            );
            assert!(["ja", "en"].contains(&answer.header("content-language")), "{at}");
            assert_eq!(answer.header("cache-control"), "no-store", "{at}");
        }
        assert_ne!(status, 500, "{at}");
        let operation = self.operation(method, path)?;
        let documented = operation.is["responses"].get(status.to_string());
        let documented = self.resolved(documented.unwrap_or_else(|| panic!("undocumented status: {at}")));
        for (header, _) in documented["headers"].as_object().into_iter().flatten() {
            let sometimes = ["Link", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy"];
            assert!(
                sometimes.contains(&header.as_str()) || answer.headers.contains_key(header),
                "no {header}: {at}"
            );
        }
        match documented["content"].as_object() {
            None => assert!(answer.bytes.is_empty(), "a body where none is documented: {at}"),
            Some(content) => {
                let given = answer.header("content-type").split(';').next().unwrap();
                let stated = content.get(given);
                let stated = stated.unwrap_or_else(|| panic!("undocumented type {given}: {at}"));
                let Some(reference) = stated["schema"]["$ref"].as_str() else {
                    return Some(operation.name());
                };
                for body in parts(given, answer) {
                    self.validate(reference, &body, &at);
                }
            }
        }
        Some(operation.name())
    }

    #[track_caller]
    fn validate(&self, reference: &str, body: &Value, at: &str) {
        let known = self.validators.lock().unwrap().get(reference).map(Arc::clone);
        let validator = known.unwrap_or_else(|| {
            let mut document = self.closed.clone();
            document["$ref"] = reference.into();
            let validator = jsonschema::draft202012::options()
                .should_validate_formats(true)
                .with_format("municipality-code", municipality_code::is_valid)
                .build(&document)
                .unwrap();
            let validator = Arc::new(validator);
            let mut validators = self.validators.lock().unwrap();
            validators.insert(reference.to_owned(), Arc::clone(&validator));
            validator
        });
        let broken: Vec<_> = validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(broken.is_empty(), "not a {reference}: {broken:#?}\n{at}");
    }
}

/// What an answer of this media type holds: lines, events, or itself.
fn parts(media_type: &str, answer: &Answer) -> Vec<Value> {
    let text = || std::str::from_utf8(&answer.bytes).unwrap().lines();
    let read = |part: &str| serde_json::from_str(part).unwrap();
    match media_type {
        "application/x-ndjson" => text().map(read).collect(),
        "text/csv" => vec![String::from_utf8_lossy(&answer.bytes).into()],
        media_type if media_type.contains("spreadsheet") => vec!["a workbook".into()],
        "text/event-stream" => text()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(read)
            .collect(),
        "text/html" => vec![std::str::from_utf8(&answer.bytes).unwrap().into()],
        _ => vec![answer.body.clone()],
    }
}

fn each_mut(value: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(|v| each_mut(v, visit));
            visit(object);
        }
        Value::Array(items) => items.iter_mut().for_each(|v| each_mut(v, visit)),
        _ => {}
    }
}

/// Every object of the document, with the path to it.
fn each<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(at, object);
            for (key, v) in object {
                each(v, &format!("{at}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (n, v) in items.iter().enumerate() {
                each(v, &format!("{at}/{n}"), visit);
            }
        }
        _ => {}
    }
}

/// What a check of every object of the document finds wrong.
fn wrong(find: impl Fn(&Map<String, Value>) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    each(&CONTRACT.spec, "", &mut |at, object| {
        // Examples are data, not schemas, and so is the map of a schema's properties.
        let data = ["/example", "/examples", "/default"];
        if data.iter().any(|part| at.contains(part)) || at.ends_with("/properties") {
            return;
        }
        found.extend(find(object).map(|what| format!("{at}: {what}")));
    });
    found
}

fn is_of_type(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn none_wrong(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_document_on_file_is_the_one_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    let served = openapi::json(&app::spec());
    if std::env::var("UPDATE_OPENAPI").is_ok_and(|value| value == "1") {
        fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi")).unwrap();
        fs::write(path, &served).unwrap();
    }
    let filed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        filed == served,
        "openapi/openapi.json is out of date; run: UPDATE_OPENAPI=1 cargo test --test api openapi"
    );
}

#[test]
fn every_operation_is_described() {
    let mut ids = BTreeSet::new();
    let declared: BTreeSet<_> = CONTRACT.spec["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .map(Value::to_string)
        .collect();
    for operation in CONTRACT.operations() {
        let (at, is) = (operation.name(), operation.is);
        let id = is["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{at}: no operationId"));
        assert!(ids.insert(id), "{at}: operationId {id} is taken");
        assert!(is["summary"].as_str().is_some_and(|s| s.len() > 5), "{at}: no summary");
        assert!(
            is["description"].as_str().is_some_and(|s| s.len() > 20),
            "{at}: no description"
        );
        assert!(is["description"].as_str() != Some(""), "{at}: an empty description");
        let tags = is["tags"].as_array().unwrap_or_else(|| panic!("{at}: no tag"));
        assert!(
            tags.len() == 1 && declared.contains(&tags[0].to_string()),
            "{at}: the tag {tags:?} is not declared in the head"
        );
        let writes = ["post", "put", "patch"].contains(&operation.method) && at != "POST /v1/changes/tickets";
        assert_eq!(is["requestBody"].is_object(), writes, "{at}: a body, or none");
    }
}

#[test]
fn every_parameter_is_documented() {
    for operation in CONTRACT.operations() {
        let at = operation.name();
        let parts = operation.path.split('/');
        let of_path: BTreeSet<_> = parts
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let documented: BTreeSet<_> = operation
            .parameters()
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(documented, of_path, "{at}");
        let mut names = BTreeSet::new();
        for parameter in operation.parameters() {
            assert!(
                names.insert(parameter["name"].as_str()),
                "{at}: {parameter} stands twice"
            );
            assert!(
                parameter["description"].as_str().is_some_and(|s| s.len() > 3),
                "{at}: {parameter} has no words"
            );
            assert!(parameter["schema"].is_object(), "{at}: {parameter} has no schema");
            assert_eq!(parameter["required"], parameter["in"] == "path", "{at}: {parameter}");
        }
    }
}

/// The doc comment of a handler has a first line and, where there is more to say, more.
#[test]
fn every_summary_is_one_line() {
    for operation in CONTRACT.operations() {
        let summary = operation.is["summary"].as_str().unwrap();
        assert!(
            !summary.contains('\n') && summary.ends_with('.'),
            "{}: {summary}",
            operation.name()
        );
    }
}

#[test]
fn every_problem_an_operation_can_meet_is_listed() {
    for operation in CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1"))
    {
        let (at, responses) = (operation.name(), operation.is["responses"].as_object().unwrap());
        // A token that must not be used any more is revoked whatever it was.
        let conditional = ["put", "patch", "delete"].contains(&operation.method) && at != "DELETE /v1/tokens/{id}";
        let body = operation.is["requestBody"].is_object();
        let expected = [
            ("400", true),
            ("401", true),
            (
                "403",
                !operation.is["security"].as_array().unwrap().contains(&json!({})),
            ),
            (
                "404",
                operation.path.contains('{') || operation.parameters().iter().any(|p| p["name"] == "as_of"),
            ),
            ("408", body),
            ("406", true),
            ("409", body && !operation.path.ends_with("/preview")),
            ("412", conditional),
            ("413", body),
            ("415", body),
            ("422", body),
            ("428", conditional),
            ("500", true),
            ("503", true),
        ];
        for (status, can) in expected {
            let listed = responses.get(status);
            if can {
                let listed = CONTRACT.resolved(listed.unwrap_or_else(|| panic!("{at}: no {status}")));
                assert_eq!(
                    listed["content"]["application/problem+json"]["schema"]["$ref"], "#/components/schemas/Problem",
                    "{at} {status}"
                );
            }
        }
        // What is streamed has no tag.
        let tagged = operation.method == "get" && responses["200"]["headers"]["ETag"].is_object();
        assert_eq!(responses.contains_key("304"), tagged, "{at}");
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{at}: no success"
        );
        for (status, response) in responses {
            let response = CONTRACT.resolved(response);
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                assert!(
                    content["example"].is_object() || content["example"].is_string(),
                    "{at} {status} {media_type}: no example"
                );
                let schema = content["schema"]["$ref"].as_str().unwrap();
                CONTRACT.validate(schema, &content["example"], &format!("{at} {status} example"));
            }
            assert!(
                response["description"].as_str().is_some_and(|s| s.len() > 3),
                "{at} {status}"
            );
        }
    }
}

#[test]
fn every_reference_resolves() {
    none_wrong(&wrong(|object| {
        let to = object.get("$ref")?.as_str()?;
        let found = CONTRACT.spec.pointer(to.strip_prefix('#')?);
        found.is_none().then(|| format!("{to} dangles"))
    }));
}

#[test]
fn every_schema_is_used() {
    let text = CONTRACT.spec.to_string();
    for name in CONTRACT.spec["components"]["schemas"].as_object().unwrap().keys() {
        let reference = format!("\"#/components/schemas/{name}\"");
        assert!(text.contains(&reference), "nothing refers to {name}");
    }
}

/// The schemas that answers are made of.
fn answered() -> BTreeSet<String> {
    let mut todo: Vec<&Value> = CONTRACT
        .operations()
        .map(|operation| &operation.is["responses"])
        .collect();
    let mut names = BTreeSet::new();
    while let Some(part) = todo.pop() {
        each(part, "", &mut |_, object| {
            if let Some(Value::String(to)) = object.get("$ref") {
                let name = to.rsplit('/').next().unwrap();
                if to.contains("/responses/") {
                    todo.push(CONTRACT.resolved(&CONTRACT.spec["components"]["responses"][name]));
                } else if names.insert(name.to_owned()) {
                    todo.push(&CONTRACT.spec["components"]["schemas"][name]);
                }
            }
        });
    }
    names
}

#[test]
fn every_key_of_an_answer_is_always_there() {
    for name in answered() {
        each(
            &CONTRACT.spec["components"]["schemas"][&name],
            &name,
            &mut |at, object| {
                let Some(Value::Object(properties)) = object.get("properties") else {
                    return;
                };
                let required: BTreeSet<_> = object
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let stated: BTreeSet<_> = properties.keys().map(String::as_str).collect();
                assert_eq!(required, stated, "{at}");
            },
        );
    }
}

#[test]
fn every_key_of_an_answer_has_words() {
    for name in answered() {
        let schema = &CONTRACT.spec["components"]["schemas"][&name];
        assert!(
            schema["description"].as_str().is_some_and(|s| s.len() > 3),
            "{name} has no words"
        );
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let alternatives = property["oneOf"].as_array().into_iter().flatten();
            let worded = [property]
                .into_iter()
                .chain(alternatives)
                .any(|p| p["description"].is_string());
            assert!(
                worded || property["$ref"].is_string() || property["items"]["$ref"].is_string(),
                "{name}.{key} has no words"
            );
        }
    }
}

/// Code generators make nothing good of an enum that is also null.
#[test]
fn no_enum_is_nullable() {
    none_wrong(&wrong(|object| {
        let null_beside_codes = object.contains_key("enum") && is_of_type(object, "null");
        let alternatives = object.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let mut alternatives = alternatives.peekable();
        alternatives.peek()?;
        let (mut null, mut codes) = (false, null_beside_codes);
        for alternative in alternatives {
            null |= alternative["type"] == "null";
            let name = alternative["$ref"].as_str().and_then(|to| to.rsplit('/').next());
            let schema = name.map_or(alternative, |name| &CONTRACT.spec["components"]["schemas"][name]);
            codes |= schema["enum"].is_array();
        }
        (null && codes).then(|| "an enum or null".to_owned())
    }));
    none_wrong(&wrong(|object| {
        let codes = object.get("enum")?.as_array()?;
        (is_of_type(object, "null") || codes.contains(&Value::Null)).then(|| "null among the codes".to_owned())
    }));
}

#[test]
fn every_string_says_how_long_it_may_be() {
    none_wrong(&wrong(|object| {
        let bounded = ["maxLength", "enum", "format", "pattern", "const"];
        let open = is_of_type(object, "string") && !bounded.iter().any(|key| object.contains_key(*key));
        open.then(|| "a string without limit".to_owned())
    }));
}

#[test]
fn every_array_says_how_long_it_may_be_and_of_what() {
    none_wrong(&wrong(|object| {
        let open = is_of_type(object, "array") && !(object.contains_key("maxItems") && object.contains_key("items"));
        open.then(|| "an array without limit or items".to_owned())
    }));
}

#[test]
fn every_number_says_its_range() {
    none_wrong(&wrong(|object| {
        let number = is_of_type(object, "integer") || is_of_type(object, "number");
        let bounded =
            (object.contains_key("minimum") && object.contains_key("maximum")) || object.contains_key("format");
        (number && !bounded).then(|| "a number without range or format".to_owned())
    }));
}

/// A wire type named `Value` becomes `{}`, and a schema that says nothing checks nothing.
#[test]
fn no_schema_is_empty() {
    none_wrong(&wrong(|object| {
        let schemas = ["schema", "items"].into_iter().filter_map(|key| object.get(key));
        let properties = object
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values);
        let says = ["type", "$ref", "oneOf", "allOf", "anyOf", "enum", "const"];
        let empty = schemas
            .chain(properties)
            .any(|schema| !says.iter().any(|key| schema.get(*key).is_some()));
        empty.then(|| "a schema that says nothing".to_owned())
    }));
    for (name, schema) in CONTRACT.spec["components"]["schemas"].as_object().unwrap() {
        assert!(
            schema.get("type").is_some() || schema.get("oneOf").is_some(),
            "{name} says nothing"
        );
        assert_ne!(name, "Value");
    }
}

#[test]
fn every_body_refuses_keys_it_does_not_know() {
    for operation in CONTRACT.operations() {
        for (_, content) in operation.is["requestBody"]["content"].as_object().into_iter().flatten() {
            let reference = content["schema"]["$ref"].as_str();
            let name = reference
                .and_then(|to| to.rsplit('/').next())
                .unwrap_or_else(|| panic!("{}: an inline body", operation.name()));
            let schema = &CONTRACT.spec["components"]["schemas"][name];
            // A body that is text has no keys.
            assert!(
                schema["additionalProperties"] == false || schema["type"] == "string",
                "{name}"
            );
        }
    }
}

#[test]
fn every_body_has_an_example_that_keeps_its_schema() {
    for operation in CONTRACT.operations() {
        let json = &operation.is["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = json.as_str().and_then(|to| to.rsplit('/').next()) else {
            continue;
        };
        let schema = &CONTRACT.spec["components"]["schemas"][name];
        assert!(schema["example"].is_object(), "{name} has no example");
        CONTRACT.validate(
            &format!("#/components/schemas/{name}"),
            &schema["example"],
            "its example",
        );
    }
}

#[test]
fn identifiers_are_ascii() {
    let is_identifier =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    for operation in CONTRACT.operations() {
        assert!(is_identifier(operation.is["operationId"].as_str().unwrap()));
        assert!(operation.path.is_ascii());
    }
    for tag in CONTRACT.spec["tags"].as_array().unwrap() {
        assert!(is_identifier(tag["name"].as_str().unwrap()), "{tag}");
    }
    assert!(
        CONTRACT.spec["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
            .all(|name| is_identifier(name))
    );
    none_wrong(&wrong(|object| {
        let codes = object.get("enum")?.as_array()?;
        let odd = codes.iter().find(|code| !code.as_str().is_some_and(is_identifier))?;
        Some(format!("the code {odd}"))
    }));
}
