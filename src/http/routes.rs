//! The one way to add a route: with its OpenAPI description, which also holds its method and path.
//!
//! So nothing is served that is not described, and the description cannot name another path. Every address answers 405
//! with `Allow` to methods it does not have, and `OPTIONS` with what it has.

use std::collections::BTreeMap;

use actix_web::dev::Handler;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpResponse, Responder, Route, web};
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem, PathsBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Schema};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ComponentsBuilder, Paths, RefOr, ResponseBuilder};

use super::problem::{Kind, Problem};

/// Every route, and its description.
#[derive(Default)]
pub struct RouteTable {
    resources: BTreeMap<String, Resource>,
    paths: PathsBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// What stands at one path.
#[derive(Default)]
struct Resource {
    routes: Vec<(Method, Route)>,
    is_for_readers: bool,
}

/// The tag of the routes that readers use.
const READERS: &str = "readers";
/// The tags of the routes that pass over what they do not know in a body; all others refuse it.
const OPEN: [&str; 2] = [READERS, "pages"];

impl RouteTable {
    /// Serves `handler` where `description` (what `#[utoipa::path]` made of it) says.
    pub fn add<D, H, Args>(&mut self, _description: D, handler: H)
    where
        D: utoipa::Path + SchemaReferences,
        H: Handler<Args> + Clone,
        Args: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        D::schemas(&mut self.schemas);
        for method in D::methods() {
            let mut operation = D::operation();
            // What takes a token takes the cookie of a session as well.
            if let Some(security) = &mut operation.security {
                security.push(SecurityRequirement::new("cookie", [""; 0]));
            }
            describe_refusals(&mut operation);
            if !operation.tags.iter().flatten().any(|tag| OPEN.contains(&tag.as_str())) {
                close_bodies(&mut operation);
            }
            let resource = self.resources.entry(D::path()).or_default();
            resource.is_for_readers |= operation.tags.iter().flatten().any(|tag| tag == READERS);
            let paths = std::mem::take(&mut self.paths);
            self.paths = paths.path(D::path(), PathItem::new(method.clone(), operation));
            let method = to_actix(&method);
            let route = web::method(method.clone()).to(handler.clone());
            resource.routes.push((method, route));
        }
    }

    /// Hands the routes to actix, which tries one after the other: those that readers use come first, as they are asked for
    /// most, and a path with a parameter comes after its siblings without one.
    pub fn serve(self, config: &mut web::ServiceConfig) {
        let mut resources: Vec<_> = self.resources.into_iter().collect();
        resources.sort_by_key(|(path, resource)| (!resource.is_for_readers, path.matches('{').count()));
        for (path, Resource { routes, .. }) in resources {
            let allow = allowed(&routes);
            let mut resource = web::resource(path);
            for (_, route) in routes {
                resource = resource.route(route);
            }
            let options = allow.clone();
            resource = resource.route(web::method(Method::OPTIONS).to(move || {
                let allow = options.clone();
                async move { HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish() }
            }));
            config.service(resource.default_service(web::to(move || {
                let allow = allow.clone();
                async move { Err::<HttpResponse, _>(method_not_allowed(&allow)) }
            })));
        }
    }

    /// What the routes' descriptions add up to.
    pub fn describe(self) -> (Paths, ComponentsBuilder) {
        let components = ComponentsBuilder::new().schemas_from_iter(self.schemas);
        (self.paths.build(), components)
    }
}

/// What is answered before a handler is asked is the same everywhere, and need not be said of each.
fn describe_refusals(operation: &mut Operation) {
    let mut refusals = Vec::new();
    if operation.security.is_some() || operation.request_body.is_some() {
        refusals.push(("400", "What was sent cannot be read; or a token and the cookies of a session came at once"));
    }
    if operation.request_body.is_some() {
        refusals.push(("413", "The body is too large"));
        refusals.push(("415", "The body is of a media type that is not taken here"));
    }
    for (status, what) in refusals {
        let refusal = || RefOr::T(ResponseBuilder::new().description(what).build());
        operation.responses.responses.entry(status.to_owned()).or_insert_with(refusal);
    }
}

/// Says that a body has the names that it is described with and no others.
fn close_bodies(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content {
            content.schema.iter_mut().for_each(close);
        }
    }
}

/// A schema that is referred to may be of answers too, and stays as it is.
fn close(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) if !object.properties.is_empty() => {
            object.additional_properties.get_or_insert_with(|| Box::new(AdditionalProperties::FreeForm(false)));
            object.properties.values_mut().for_each(close);
        }
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(item) = &mut array.items {
                close(item);
            }
        }
        RefOr::T(Schema::OneOf(one_of)) => one_of.items.iter_mut().for_each(close),
        _ => {}
    }
}

fn allowed(routes: &[(Method, Route)]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|(method, _)| method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

fn method_not_allowed(allow: &str) -> Problem {
    let problem = Problem::new(Kind::MethodNotAllowed, format!("This address takes {allow}."));
    match header::HeaderValue::from_str(allow) {
        Ok(value) => problem.header(header::ALLOW, value),
        Err(_) => problem,
    }
}

fn to_actix(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
