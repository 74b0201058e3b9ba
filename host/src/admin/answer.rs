//! What is answered to a request.

use super::{Desk, readiness};
use crate::broker::Build;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const INDEX: &str = "Patchbay\n\n\
    /live     200 as long as the host answers at all\n\
    /ready    200 if every instance serves; 503 with the reason if not\n\
    /metrics  for Prometheus\n\
    /version  what runs\n";

/// The path and the method decide, and nothing else of the request.
pub(super) fn answer<B>(desk: &Desk, request: &Request<B>, strict: bool) -> Answer {
    if strict && !is_for_this_machine(request) {
        let why = "this listener is for this machine only: ask it as localhost or by its address\n";
        return with(StatusCode::MISDIRECTED_REQUEST, TEXT, why);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = with(
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "there is only GET and HEAD here\n",
        );
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(ALLOW, allowed);
        return refused;
    }
    match request.uri().path() {
        "/" => with(StatusCode::OK, TEXT, INDEX),
        "/live" => live(desk),
        "/ready" => ready(desk),
        "/metrics" => metrics(desk),
        "/version" => version(desk),
        _ => with(StatusCode::NOT_FOUND, TEXT, INDEX),
    }
}

/// A page of the web that has pointed a name of its own at this machine must not read here.
fn is_for_this_machine<B>(request: &Request<B>) -> bool {
    let Some(host) = request.headers().get(HOST) else {
        return true;
    };
    let host = host.to_str().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Looks at everything that others could hold locked for ever.
fn live(desk: &Desk) -> Answer {
    drop(desk.broker.instances());
    with(StatusCode::OK, TEXT, "alive\n")
}

fn ready(desk: &Desk) -> Answer {
    let readiness = readiness(&desk.broker.instances());
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let said = serde_json::to_string(&readiness).unwrap_or_default();
    with(status, JSON, format!("{said}\n"))
}

fn metrics(desk: &Desk) -> Answer {
    let text = desk.broker.metrics().text(|stock| {
        desk.broker.take_stock(stock);
        stock.dropped(desk.dropped.lines());
    });
    match text {
        Ok(text) => with(StatusCode::OK, OPEN_METRICS, text),
        Err(_) => with(
            StatusCode::INTERNAL_SERVER_ERROR,
            TEXT,
            "the metrics cannot be written as text\n",
        ),
    }
}

fn version(desk: &Desk) -> Answer {
    let instances = desk.broker.present().map(|(_, seat)| {
        let life = seat.life();
        let Build {
            version,
            sdk,
            abi,
            file,
        } = life.build;
        json!({"id": seat.id(), "plugin": life.plugin, "version": version, "sdk": sdk, "abi": abi, "file": file})
    });
    let instances: Vec<_> = instances.collect();
    let version = json!({
        "patchbay": env!("CARGO_PKG_VERSION"),
        "revision": option_env!("PATCHBAY_REVISION"),
        "abi": patchbay_abi::manifest::ABI_VERSION,
        "gateway": desk.name,
        "instances": instances,
    });
    with(StatusCode::OK, JSON, format!("{version}\n"))
}

fn with(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
