//! Names of the users of this machine. The user data base may be far away, and as lost as a customer's line.

use core::time::Duration;
use nix::unistd::{Uid, User};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many names may be looked up at once. Look-ups that hang must leave threads to the readers of the store.
pub(super) const MAX_LOOKUPS: usize = 2;
/// How long a request waits for a name; then the number has to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks up names.
pub(super) struct People {
    turns: Arc<Semaphore>,
}

impl People {
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }

    /// What the user is called.
    pub(super) async fn name(&self, uid: u32) -> String {
        self.ask(uid, |uid| User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)).await
    }

    async fn ask(&self, uid: u32, look: impl FnOnce(u32) -> Option<String> + Send + 'static) -> String {
        let name = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
            let work = tokio::task::spawn_blocking(move || {
                let name = look(uid);
                drop(turn);
                name
            });
            work.await.ok().flatten()
        };
        timeout(PATIENCE, name).await.ok().flatten().unwrap_or_else(|| format!("uid {uid}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn look_ups_that_hang_take_few_threads_and_little_time() {
        let people = People::new();
        let (begun, begins) = mpsc::channel();
        let mut gates = Vec::new();
        for uid in 0..=MAX_LOOKUPS as u32 {
            let (gate, closed) = mpsc::channel::<()>();
            let begun = begun.clone();
            gates.push(gate);
            let look = move |uid| {
                begun.send(uid).unwrap();
                closed.recv().ok().map(|()| "late".to_owned())
            };
            assert_eq!(people.ask(uid, look).await, format!("uid {uid}"));
        }
        assert_eq!(begins.try_iter().count(), MAX_LOOKUPS, "the last one had no turn");
        drop(gates);
        assert_eq!(people.ask(7, |_| Some("ann".to_owned())).await, "ann", "the others have given up their turns");
    }
}
