//! The application: routes, layers, fallbacks. `main` serves it, tests call it.

use std::sync::{Arc, OnceLock};

use actix_web::{
    App, Error as ActixError, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ResourceDef, ServiceFactory, ServiceRequest, ServiceResponse},
    guard,
    http::{Method, header},
    middleware::{Next, from_fn},
    web,
};
use utoipa::openapi::{OpenApi, path::PathItem};
use utoipa_actix_web::{AppExt, scope};

use super::{docs, openapi, site, state::AppState};
use crate::{
    error::{Error, Result},
    http::{
        media_type::JSON,
        middleware::{
            access_log, authentication, compression, cors, fiscal_years, former_names,
            preconditions::{self, Conditions},
            reasons, response_cache,
        },
        public_address,
        required_permissions::RequiredPermissions,
        respond::tagged,
    },
    resources,
};

/// The paths that the document does not name.
const BESIDE: [&str; 5] = ["/", "/site/{file:.*}", "/docs", "/docs/{file:.*}", "/openapi.json"];

/// Builds the application over a database.
pub fn build(
    state: AppState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = ActixError,
        InitError = (),
    >,
> {
    let requests = state.requests;
    let (app, spec) = App::new()
        .into_utoipa_app()
        .openapi(openapi::head())
        .app_data(web::Data::new(state.database))
        .app_data(web::Data::new(state.cache))
        .app_data(web::Data::new(state.rate))
        .app_data(web::Data::new(state.workshop))
        .app_data(web::Data::new(state.files))
        .app_data(web::Data::new(state.limits))
        .app_data(web::Data::new(state.origins))
        .app_data(web::Data::from(Arc::clone(&requests)))
        .service(scope("/v1").configure(resources::routes))
        .configure(resources::health::routes)
        .split_for_parts();
    requests.know(spec.paths.paths.keys().map(String::as_str).chain(BESIDE));
    let known = Documented::from(spec);
    let app = match state.public_url {
        Some(url) => app.app_data(web::Data::new(url)),
        None => app,
    };
    app.app_data(known.methods.clone())
        .app_data(known.needs.clone())
        .app_data(known.conditions.clone())
        .service(
            web::resource("/openapi.json")
                .guard(guard::Get())
                .to(async |req| tagged(&req, HttpResponse::Ok(), JSON, known.document(&req))),
        )
        .service(web::resource("/docs/{file:.*}").guard(guard::Get()).to(docs::read))
        .service(web::resource("/").guard(guard::Get()).to(site::read))
        .service(web::resource("/site/{file:.*}").guard(guard::Get()).to(site::file))
        .service(
            web::resource("/docs")
                .guard(guard::Get())
                .to(async || web::Redirect::to("/docs/")),
        )
        .default_service(web::to(fallback))
        .wrap(from_fn(former_names::redirect))
        .wrap(from_fn(fiscal_years::redirect))
        .wrap(from_fn(prefer_literal))
        .wrap(from_fn(reasons::ask))
        .wrap(from_fn(preconditions::heed))
        .wrap(from_fn(authentication::authenticate))
        .wrap(from_fn(compression::compress))
        .wrap(from_fn(response_cache::cache_responses))
        .wrap(from_fn(access_log::wait_for_database))
        .wrap(from_fn(cors::answer_preflights))
        .wrap(from_fn(access_log::observe))
}

/// The OpenAPI document of the application.
#[must_use]
pub fn spec() -> OpenApi {
    let (_, mut spec) = App::new()
        .into_utoipa_app()
        .openapi(openapi::head())
        .service(scope("/v1").configure(resources::routes))
        .configure(resources::health::routes)
        .split_for_parts();
    openapi::complete(&mut spec);
    spec
}

/// Facts read from the document, once for all threads.
struct Documented {
    /// The document before and after the address of the service.
    document: [String; 2],
    methods: web::Data<Methods>,
    needs: web::Data<RequiredPermissions>,
    conditions: web::Data<Conditions>,
}

impl Documented {
    fn from(mut spec: OpenApi) -> &'static Self {
        static DOCUMENTED: OnceLock<Documented> = OnceLock::new();
        DOCUMENTED.get_or_init(|| {
            openapi::complete(&mut spec);
            Self {
                document: around_address(&mut spec),
                methods: web::Data::new(Methods::of(&spec)),
                needs: web::Data::new(RequiredPermissions::of(&spec)),
                conditions: web::Data::new(Conditions::of(&spec)),
            }
        })
    }

    /// The document, with the address that this caller may know the service by.
    fn document(&self, req: &HttpRequest) -> Vec<u8> {
        let [before, after] = &self.document;
        [before, public_address::server(req), after].concat().into_bytes()
    }
}

/// The document before and after the address of the service.
fn around_address(spec: &mut OpenApi) -> [String; 2] {
    const HERE: &str = "the address of the service";
    if let Some(server) = spec.servers.iter_mut().flatten().next() {
        HERE.clone_into(&mut server.url);
    }
    let document = openapi::json(spec);
    let (before, after) = document.split_once(HERE).unwrap_or((&document, ""));
    [before, after].map(str::to_owned)
}

/// The methods of every path, read from the document. `literal` repeats those of paths that a path with a variable part
/// matches too, as `/budgets/{id}` does `/budgets/summary`.
struct Methods {
    all: Vec<(ResourceDef, String)>,
    literal: Vec<(ResourceDef, String)>,
}

impl Methods {
    fn of(spec: &OpenApi) -> Self {
        let paths = spec
            .paths
            .paths
            .iter()
            .map(|(path, item)| (path.as_str(), allowed(item)));
        let others = BESIDE.map(|path| (path, "GET, HEAD, OPTIONS".to_owned()));
        let all: Vec<_> = paths
            .chain(others)
            .map(|(path, allow)| (ResourceDef::new(path), allow))
            .collect();
        let pattern = |def: &ResourceDef| def.pattern().unwrap_or_default().to_owned();
        let is_matched_twice = |(path, _): &&(ResourceDef, String)| {
            let twins = all.iter().filter(|(other, _)| other.is_match(&pattern(path)));
            twins.count() > 1
        };
        let literal = all.iter().filter(is_matched_twice).cloned().collect();
        Self { all, literal }
    }

    /// The methods of the first of these paths that matches.
    fn among<'a>(of: &'a [(ResourceDef, String)], path: &str) -> Option<&'a String> {
        of.iter()
            .find(|(known, _)| known.is_match(path))
            .map(|(_, allow)| allow)
    }
}

/// Answers 405 if a literal path matches that lacks the method, before a path with a variable part gets the request.
async fn prefer_literal(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let methods = req.app_data::<web::Data<Methods>>();
    // The path as it will be routed: percent-decoded.
    let allow = methods.and_then(|methods| Methods::among(&methods.literal, req.match_info().as_str()));
    let has = |allow: &String| allow.split(", ").any(|method| method == req.method().as_str());
    match allow
        .filter(|allow| !has(allow) && *req.method() != Method::OPTIONS)
        .cloned()
    {
        None => next.call(req).await.map(ServiceResponse::map_into_boxed_body),
        Some(allow) => Ok(req.error_response(Error::MethodNotAllowed(allow))),
    }
}

fn allowed(item: &PathItem) -> String {
    [
        ("GET, HEAD", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
    .iter()
    .filter(|(_, operation)| operation.is_some())
    .map(|(method, _)| *method)
    .chain(["OPTIONS"])
    .collect::<Vec<_>>()
    .join(", ")
}

/// Actix's route macros answer 404 to a wrong method (actix-web #2735). This fallback answers 405, and OPTIONS.
async fn fallback(req: HttpRequest, methods: web::Data<Methods>) -> Result<HttpResponse> {
    match Methods::among(&methods.all, req.path()) {
        // Of the service as a whole (RFC 9110, 9.3.7).
        None if req.method() == Method::OPTIONS && req.path() == "*" => Ok(HttpResponse::NoContent().finish()),
        Some(allow) if req.method() == Method::OPTIONS => Ok(HttpResponse::NoContent()
            .insert_header((header::ALLOW, allow.as_str()))
            .finish()),
        Some(allow) => Err(Error::MethodNotAllowed(allow.clone())),
        None => Err(Error::NotFound("path")),
    }
}
