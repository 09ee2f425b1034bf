//! A few readers of the store, shared by all requests: SQLite blocks, so they work on threads of their own.

use super::problem::Problem;
use crate::store::Reader;
use core::time::Duration;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many requests may read the store at once.
pub(super) const MAX_READERS: usize = 4;
/// How long a request waits for its turn to read.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    store: PathBuf,
    idle: Arc<Mutex<Vec<Reader>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(store: PathBuf) -> Self {
        Self { store, idle: Arc::default(), turns: Arc::new(Semaphore::new(MAX_READERS)) }
    }

    /// Lets `look` read the store.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::unavailable("too many requests read the store just now: try again");
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let (store, idle) = (self.store.clone(), Arc::clone(&self.idle));
        let work = tokio::task::spawn_blocking(move || {
            let spare = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let reader = spare.map_or_else(|| Reader::open(&store), Ok)?;
            let found = look(&reader)?;
            // After an error it is not worth keeping.
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            drop(turn);
            Ok(found)
        });
        work.await.unwrap_or_else(|_| Err(Problem::unavailable("the daemon stops")))
    }
}
