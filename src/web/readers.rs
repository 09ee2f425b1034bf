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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use tokio::task::JoinSet;

    #[test]
    fn one_more_than_may_read_waits_for_its_turn() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        let (_store, _) = Store::open(&path).unwrap();
        let reading = Arc::new(AtomicUsize::new(0));
        let (begun, begins) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let look = move |_: &Reader| {
            begun.send(reading.fetch_add(1, Ordering::SeqCst) + 1).unwrap();
            gate.lock().unwrap().recv().unwrap();
            reading.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        let requests = thread::spawn(move || {
            let readers = Arc::new(Readers::new(path));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut requests = JoinSet::new();
                for _ in 0..=MAX_READERS {
                    let (readers, look) = (Arc::clone(&readers), look.clone());
                    requests.spawn(async move { readers.read(look).await });
                }
                requests.join_all().await.into_iter().all(|read| read.is_ok())
            })
        });
        let most = (0..MAX_READERS).map(|_| begins.recv().unwrap()).max();
        assert_eq!(most, Some(MAX_READERS));
        assert!(begins.recv_timeout(Duration::from_millis(200)).is_err(), "all turns are taken");
        for _ in 0..=MAX_READERS {
            release.send(()).unwrap();
        }
        assert!(begins.recv().unwrap() <= MAX_READERS);
        assert!(requests.join().unwrap());
    }
}
