//! The daemon's face: a JSON API, health and metrics over HTTP.
//!
//! It runs on a thread of its own. Reading looks at the [`board`] and at the store; changing asks the loop and waits
//! for its commit. Reading order: `board` (what the loop shows), `doors` (connections), `api` (reading), `desk`
//! (changing), `umbrella`, `mail`, `maintenance`, `works` and `parties` (both), `survey` (for customers), `strip`, `metrics`
//! and `unit_metrics`.

pub mod board;
pub mod metrics;

mod api;
mod contacts;
mod desk;
mod doors;
mod intake;
mod mail;
mod maintenance;
mod parties;
mod people;
mod problem;
mod readers;
mod report;
mod rfo;
mod scene;
mod show;
mod strip;
mod survey;
mod umbrella;
mod unit_metrics;
mod works;

pub use api::{MAX_LEDGER, MAX_PAGE, MAX_TIMELINE};
pub use contacts::MAX_WORD;
pub use desk::{ANSWER_TIMEOUT, Answer, Ask, Busy, MAX_BODY, MAX_NAME, MAX_NOTE};
pub use doors::{BindError, Doors, MAX_CONNECTIONS, bind};
pub use mail::{Keep, Mailbox, MailboxStatus};
pub use maintenance::MAX_REMARK;
pub use parties::{Shift, StaffRow};
pub use strip::{MAX_CELLS, MAX_STRIP};
pub use survey::MAX_FORM;
pub use umbrella::MAX_CHILDREN;
pub use works::MAX_LOSSES;

use crate::domain::desk::{AlarmCause, Case, Cause, Diagnosis, HeldLetter, Merits, Reference};
use crate::domain::rfo::Rfo;
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{Finding, Interval, Secret};
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use board::Board;
use metrics::Metrics;
use people::People;
use problem::Problem;
use readers::Readers;
use scene::Scene;
use serde_json::Value;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{Semaphore, watch};

/// Words for what is shown to people.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Why a case stands where it does, as of a time, in sentences. Wants what the unit's ledger has of late, newest
    /// first.
    pub explain: fn(&Case, &[Interval], Time, &Calendar) -> Vec<String>,
    /// Why a letter is held back.
    pub held: fn(&HeldLetter, &Calendar) -> String,
    /// How a line is degraded.
    pub finding: fn(&Finding) -> String,
    /// What happened, in a sentence.
    pub diagnosis: fn(&Diagnosis, &Calendar) -> String,
    /// What lines share.
    pub cause: fn(&Cause) -> String,
    /// What is wrong with the watch itself.
    pub alarm: fn(&AlarmCause) -> String,
    /// A reason for outage as JSON, as of a row of the journal with its seal.
    pub draft: fn(&Rfo, i64, &str, &Calendar) -> String,
    /// A reason for outage as text, from its JSON.
    pub rfo_text: fn(&Value) -> String,
    /// The same as HTML.
    pub rfo_html: fn(&Value) -> String,
    /// For what somebody was chosen.
    pub merits: fn(&Merits) -> String,
}

/// Tells the case whose survey a token is for, if it is one of ours.
pub type Surveyed = Arc<dyn Fn(&str) -> Option<Reference> + Send + Sync>;

/// Threads for what blocks: readers of the store, and look-ups of user names.
const BLOCKING_THREADS: usize = readers::MAX_READERS + people::MAX_LOOKUPS;

/// What the interface works with.
pub struct Services {
    /// What the loop shows.
    pub board: Arc<Board>,
    /// How the loop is asked.
    pub ask: Ask,
    /// How a message is handed over.
    pub keep: Keep,
    /// How the mailbox fares that is read, if one is.
    pub mailbox: Option<Mailbox>,
    /// The case whose survey a token is for, if it is one of ours.
    pub surveyed: Surveyed,
    /// How things are said.
    pub words: Words,
    /// Path of the store.
    pub store: PathBuf,
    /// Who shows it may change things over TCP; without one nobody may.
    pub token: Option<Secret>,
    /// The daemon's own metrics.
    pub metrics: &'static Metrics,
}

/// What every request can use.
struct Web {
    services: Services,
    readers: Readers,
    people: People,
    /// Places for messages on their way in, each of [`mail::PLACE`] bytes.
    parcels: Semaphore,
}

impl Web {
    fn scene(&self) -> Scene {
        let (summary, age) = self.services.board.summary();
        Scene::new(&summary, age, self.services.words)
    }
}

/// The interface at work.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// Lets callers in.
///
/// # Errors
/// If the system gives no thread or no event queue.
pub fn serve(doors: Doors, mut services: Services) -> io::Result<Server> {
    // Shown to others, who run in other directories.
    services.store = std::path::absolute(&services.store)?;
    let (stop, stopped) = watch::channel(false);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
    let metrics = services.metrics;
    let service = {
        let _in_runtime = runtime.enter();
        doors.open(router(services), stopped)?
    };
    let thread = thread::Builder::new().name("web".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = service => {}
                () = upkeep(metrics) => {}
            }
        });
        // A look-up that hangs must not keep the daemon from stopping.
        runtime.shutdown_background();
    })?;
    Ok(Server { stop, thread })
}

impl Server {
    /// Ends: requests under way have a moment to finish, then the socket's file goes.
    pub fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the web thread has panicked");
        }
    }
}

async fn upkeep(metrics: &'static Metrics) {
    loop {
        tokio::time::sleep(metrics::UPKEEP_EVERY).await;
        metrics.upkeep();
    }
}

fn router(services: Services) -> Router {
    let readers = Readers::new(services.store.clone());
    let metrics = services.metrics;
    Router::new()
        .route("/health", get(api::health))
        .route("/metrics", get(api::metrics))
        .route("/metrics/units", get(api::unit_metrics))
        .route("/api/status", get(api::status))
        .route("/api/units", get(api::units))
        .route("/api/units/{id}", get(api::unit))
        .route("/api/units/{id}/strip", get(strip::strip))
        .route("/api/nodes", get(api::nodes))
        .route("/api/cases", get(api::cases).post(intake::open))
        .route("/api/cases/{reference}", get(api::case))
        .route("/api/cases/{reference}/explain", get(api::explain))
        .route("/api/cases/{reference}/rfo", get(rfo::show).post(desk::work::<desk::Rfo>))
        .route("/api/cases/{reference}/route", get(parties::route))
        .route("/api/cases/{reference}/take", post(desk::work::<desk::Take>))
        .route("/api/cases/{reference}/note", post(desk::work::<desk::Note>))
        .route("/api/cases/{reference}/tell", post(desk::work::<desk::Tell>))
        .route("/api/cases/{reference}/promise", post(desk::work::<desk::Promise>))
        .route("/api/cases/{reference}/arrive", post(desk::work::<desk::Arrive>))
        .route("/api/cases/{reference}/supplier", post(desk::work::<desk::Supplier>))
        .route("/api/cases/{reference}/assign", post(desk::work::<desk::Assign>))
        .route("/api/cases/{reference}/escalate", post(desk::work::<desk::Escalate>))
        .route("/api/cases/{reference}/wait", post(desk::work::<desk::Wait>))
        .route("/api/cases/{reference}/solve", post(desk::work::<desk::Solve>))
        .route("/api/cases/{reference}/return", post(desk::work::<desk::Return>))
        .route("/api/cases/{reference}/answer", post(desk::work::<desk::Answering>))
        .route("/api/umbrellas", get(umbrella::list))
        .route("/api/umbrellas/{reference}", get(umbrella::show))
        .route("/api/umbrellas/{reference}/update", post(umbrella::update))
        .route("/api/reports/{name}", get(report::show))
        .route("/survey/style.css", get(survey::style))
        .route("/survey/{token}", get(survey::page).post(survey::answer))
        .route("/api/staff", get(parties::staff))
        .route("/api/staff/{id}/on", post(parties::on))
        .route("/api/staff/{id}/off", post(parties::off))
        .route("/api/shift", get(parties::shift))
        .route("/api/customers/{id}", get(contacts::customer))
        .route("/api/customers/{id}/contacts", post(contacts::add))
        .route("/api/customers/{id}/contacts/{contact}", post(contacts::edit))
        .route("/api/customers/{id}/contacts/{contact}/remove", post(contacts::remove))
        .route("/api/suppliers", get(parties::suppliers))
        .route("/api/mail", get(mail::list).post(mail::take))
        .route("/api/mail/{id}", get(mail::show))
        .route("/api/mail/{id}/{verb}", post(mail::file))
        .route("/api/maintenance", get(maintenance::list).post(maintenance::plan))
        .route("/api/maintenance/{id}", get(works::show))
        .route("/api/maintenance/{id}/cancel", post(maintenance::cancel))
        .fallback(Problem::no_such_path)
        .method_not_allowed_fallback(Problem::wrong_method)
        .layer(map_response(move |response| harden(metrics, response)))
        .with_state(Arc::new(Web {
            services,
            readers,
            people: People::new(),
            parcels: Semaphore::new(mail::MAX_PLACES),
        }))
}

/// Answers are of the moment, and nothing but what they say they are.
async fn harden(metrics: &'static Metrics, mut response: Response) -> Response {
    metrics.answered(response.status());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
