//! The files of the site: those that were built, with a hash in their names, and the few others. Compressed when they are built.

use crate::api::problem::no_such_address;
use crate::wiring::Parts;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header::CACHE_CONTROL};
use axum::response::{IntoResponse as _, Response};
use leptos::config::LeptosOptions;
use std::path::{Path, PathBuf};
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

/// The files of the site.
#[derive(Clone, Debug)]
pub struct Files {
    /// Where they are.
    root: PathBuf,
    /// Whether those that were built have a hash in their names.
    hashed: bool,
    /// Whether the wasm was split. Then a script's content may change under an unchanged name.
    split: bool,
}

/// What may be kept for ever: its name changes with its content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// What must be asked for again each time; most often the answer is that nothing changed.
const ASK_AGAIN: &str = "no-cache";
/// What seldom changes: the icon, the fonts.
const A_DAY: &str = "public, max-age=86400";

impl Files {
    /// The files of a running Linewatch.
    pub fn of(parts: &Parts) -> Self {
        Self::at(&parts.leptos)
    }

    /// The files at the place that these options name.
    pub fn at(options: &LeptosOptions) -> Self {
        let root = PathBuf::from(options.site_root.as_ref());
        let split = std::fs::read_dir(root.join("pkg")).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("__wasm_split")))
        });
        Self { root, hashed: options.hash_files, split }
    }

    /// Whether the site was built.
    pub fn are_there(&self) -> bool {
        self.root.join("pkg").is_dir()
    }

    /// Where they are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was built: scripts, wasm, styles. One that is gone is 404 for everybody.
    pub async fn built(self, request: Request) -> Response {
        let script = request.uri().path().ends_with(".js");
        let how = if !self.hashed || (self.split && script) { ASK_AGAIN } else { FOR_EVER };
        match self.find(request).await {
            Some(file) => kept(file, how),
            None => no_such_address().await.into_response(),
        }
    }

    /// Whatever else lies there; for what does not, this router answers.
    pub async fn others(self, nobody: Router, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let found = if head.method.is_safe() {
            self.find(Request::from_parts(head.clone(), Body::empty())).await
        } else {
            None
        };
        match found {
            Some(file) => kept(file, A_DAY),
            None => match nobody.oneshot(Request::from_parts(head, body)).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        }
    }

    async fn find(&self, request: Request) -> Option<Response> {
        let files = ServeDir::new(&self.root).append_index_html_on_directories(false);
        let found = files.precompressed_br().precompressed_gzip().oneshot(request).await;
        let found = found.unwrap_or_else(|never| match never {}).map(Body::new);
        (found.status() != StatusCode::NOT_FOUND).then_some(found)
    }
}

/// Says what a browser may keep, of what was found.
fn kept(mut found: Response, how: &'static str) -> Response {
    if found.status().is_success() || found.status() == StatusCode::NOT_MODIFIED {
        found.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(how));
    }
    found
}

/// Where the site is, and how its files are called. Built beside the program, `hash.txt` lies there too.
pub fn options(root: Option<&Path>) -> LeptosOptions {
    let beside =
        std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned)).unwrap_or_default();
    let site = root.map(Path::to_owned).unwrap_or_else(|| {
        let site = beside.join("site");
        if site.is_dir() { site } else { PathBuf::from("target/site") }
    });
    LeptosOptions::builder()
        .output_name("linewatch")
        .site_root(site.to_string_lossy().into_owned())
        .hash_files(beside.join("hash.txt").is_file())
        .build()
}
