//! Host names to addresses, off the loop: a name server may take its time.
//!
//! A name that can't be resolved says nothing about the unit behind it. The failure is logged and counted, and the
//! last good address goes on.

use crate::clock::Stopwatch;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Names that are looked up at once. The others wait in the schedule, which holds each name once.
pub const MAX_LOOKUPS: usize = 4;

/// Hears of a device's first address, and of each other one that takes its place: device, host, address. Says whether it
/// had room for that; if not, it hears of it again. It must not wait: whoever calls [`Resolver::watch`] waits for it.
pub type Report = Box<dyn Fn(&str, &str, IpAddr) -> bool + Send>;

type Lookup = Box<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// How often names are looked up.
#[derive(Clone, Copy)]
struct Rhythm {
    /// After a success.
    refresh: Duration,
    /// After a failure.
    retry: Duration,
}

/// How long to wait before an address that there was no room for is reported again.
const OFFER_AGAIN: Duration = Duration::from_secs(1);

const RHYTHM: Rhythm = Rhythm { refresh: Duration::from_secs(300), retry: Duration::from_secs(30) };

/// A running resolver. Dropping it ends it; nothing is reported after that.
pub struct Resolver(Arc<Shared>);

/// Starts the resolver. It watches no names yet.
///
/// # Errors
/// When its threads can't be started.
pub fn start(report: Report) -> io::Result<Resolver> {
    start_with(Box::new(ask_system), RHYTHM, report)
}

fn start_with(lookup: Lookup, rhythm: Rhythm, report: Report) -> io::Result<Resolver> {
    let desk = Desk { schedule: Schedule::new(rhythm), report, closed: false };
    let shared =
        Arc::new(Shared { lookup, running: Stopwatch::start(), desk: Mutex::new(desk), changed: Condvar::new() });
    let resolver = Resolver(Arc::clone(&shared));
    for _ in 0..MAX_LOOKUPS {
        let shared = Arc::clone(&shared);
        thread::Builder::new().name("resolver".to_owned()).spawn(move || shared.work())?;
    }
    Ok(resolver)
}

impl Resolver {
    /// Watches the names of these devices (device, host), and no others from now on. What is known of a device whose
    /// host stays the same is kept.
    pub fn watch(&self, names: Vec<(String, String)>) {
        let mut desk = self.0.lock();
        desk.schedule.replace(names, self.0.running.elapsed());
        self.0.changed.notify_all();
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

fn ask_system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

struct Shared {
    lookup: Lookup,
    running: Stopwatch,
    desk: Mutex<Desk>,
    /// A name may have fallen due earlier than somebody waits for, or it is over.
    changed: Condvar,
}

struct Desk {
    schedule: Schedule,
    report: Report,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up one name after the other as they fall due.
    fn work(&self) {
        let mut desk = self.lock();
        while !desk.closed {
            let now = self.running.elapsed();
            if let Some(job) = desk.schedule.take(now) {
                drop(desk);
                let found = (self.lookup)(&job.host);
                desk = self.lock();
                let now = self.running.elapsed();
                if let Some(address) = desk.schedule.record(&job, found, now)
                    && !desk.closed
                    // Under the lock, so that a device's newest address is also the last to be reported.
                    && !(desk.report)(&job.device, &job.host, address)
                {
                    desk.schedule.unheard(job, now);
                }
                self.changed.notify_one();
            } else if let Some(due) = desk.schedule.next_due() {
                let wait = self.changed.wait_timeout(desk, due.saturating_sub(now));
                desk = wait.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                desk = self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// Which names there are, and when each is looked up next. Times are since the start.
struct Schedule {
    rhythm: Rhythm,
    devices: BTreeMap<String, Name>,
    /// What is not being looked up just now.
    due: BTreeSet<(Duration, Job)>,
    next_serial: u64,
}

/// What is known of a device's name.
struct Name {
    job: Job,
    address: Option<IpAddr>,
    failing: bool,
}

/// A name to be looked up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    /// Tells this name from another one that the device had before.
    serial: u64,
    device: String,
    host: String,
}

impl Schedule {
    const fn new(rhythm: Rhythm) -> Self {
        Self { rhythm, devices: BTreeMap::new(), due: BTreeSet::new(), next_serial: 0 }
    }

    fn replace(&mut self, names: Vec<(String, String)>, now: Duration) {
        let mut before = core::mem::take(&mut self.devices);
        for (device, host) in names {
            let kept = before.remove(&device).filter(|name| name.job.host == host);
            let name = kept.unwrap_or_else(|| self.add(&device, host, now));
            self.devices.insert(device, name);
        }
        let devices = &self.devices;
        self.due.retain(|(_, job)| devices.get(&job.device).is_some_and(|name| name.job == *job));
    }

    fn add(&mut self, device: &str, host: String, now: Duration) -> Name {
        self.next_serial += 1;
        let job = Job { serial: self.next_serial, device: device.to_owned(), host };
        self.due.insert((now, job.clone()));
        Name { job, address: None, failing: false }
    }

    fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The next name that is due. It is not due again before it is recorded.
    fn take(&mut self, now: Duration) -> Option<Job> {
        if self.next_due()? > now {
            return None;
        }
        self.due.pop_first().map(|(_, job)| job)
    }

    /// The address recorded at `now` was not heard: it will be news again, and soon.
    fn unheard(&mut self, job: Job, now: Duration) {
        if let Some(name) = self.devices.get_mut(&job.device).filter(|name| name.job == job) {
            name.address = None;
            self.due.remove(&(now.saturating_add(self.rhythm.refresh), job.clone()));
            self.due.insert((now.saturating_add(OFFER_AGAIN), job));
        }
    }

    /// Takes note of a lookup; the device's address if that is news.
    fn record(&mut self, job: &Job, found: io::Result<Vec<IpAddr>>, now: Duration) -> Option<IpAddr> {
        let name = self.devices.get_mut(&job.device).filter(|name| name.job == *job)?;
        match found.and_then(|addresses| choose(name.address, &addresses)) {
            Ok(address) => {
                self.due.insert((now.saturating_add(self.rhythm.refresh), job.clone()));
                if core::mem::take(&mut name.failing) {
                    tracing::info!(device = job.device, host = job.host, %address, "host name resolved again");
                }
                (name.address.replace(address) != Some(address)).then_some(address)
            }
            Err(error) => {
                self.due.insert((now.saturating_add(self.rhythm.retry), job.clone()));
                metrics::counter!("ntuwatch_resolve_failures_total").increment(1);
                if !core::mem::replace(&mut name.failing, true) {
                    tracing::warn!(device = job.device, host = job.host, %error, "host name not resolved");
                }
                None
            }
        }
    }
}

/// The address in use stays in use while the name still has it.
fn choose(current: Option<IpAddr>, addresses: &[IpAddr]) -> io::Result<IpAddr> {
    current
        .filter(|address| addresses.contains(address))
        .or_else(|| addresses.first().copied())
        .ok_or_else(|| io::Error::other("the name has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Receiver};
    use std::sync::{Arc, Barrier};

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const LONG: Duration = Duration::from_secs(60);
    const RESTLESS: Rhythm = Rhythm { refresh: Duration::ZERO, retry: Duration::ZERO };

    fn names(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(device, host)| ((*device).to_owned(), (*host).to_owned())).collect()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn failure() -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other("no answer"))
    }

    fn schedule(pairs: &[(&str, &str)]) -> Schedule {
        let mut schedule = Schedule::new(RHYTHM);
        schedule.replace(names(pairs), seconds(0));
        schedule
    }

    #[test]
    fn a_name_is_looked_up_at_once_then_every_five_minutes_and_sooner_after_a_failure() {
        let mut schedule = schedule(&[("u1", "u1.example")]);
        let job = schedule.take(seconds(0)).unwrap();
        assert!(schedule.take(seconds(1000)).is_none(), "not twice at once");
        assert_eq!(schedule.record(&job, Ok(vec![A]), seconds(2)), Some(A));
        assert!(schedule.take(seconds(301)).is_none());
        let job = schedule.take(seconds(302)).unwrap();
        assert_eq!(schedule.record(&job, failure(), seconds(310)), None);
        assert!(schedule.take(seconds(339)).is_none());
        let job = schedule.take(seconds(340)).unwrap();
        assert_eq!(schedule.record(&job, Ok(vec![A]), seconds(340)), None, "no news");
        assert_eq!(schedule.next_due(), Some(seconds(640)));
    }

    #[test]
    fn an_address_in_use_stays_while_the_name_has_it() {
        let mut schedule = schedule(&[("u1", "u1.example")]);
        let mut look_up = |found| {
            let due = schedule.next_due().unwrap();
            let job = schedule.take(due).unwrap();
            schedule.record(&job, found, due)
        };
        assert_eq!(look_up(Ok(vec![B, A])), Some(B));
        assert_eq!(look_up(Ok(vec![A, B])), None);
        assert_eq!(look_up(Ok(vec![])), None, "a name without address is a failure");
        assert_eq!(look_up(failure()), None);
        assert_eq!(look_up(Ok(vec![A])), Some(A));
        assert_eq!(look_up(Ok(vec![B, A])), None);
    }

    #[test]
    fn a_new_list_keeps_what_it_can_and_forgets_the_rest() {
        let mut schedule = schedule(&[("u1", "one.example"), ("u2", "two.example"), ("u3", "three.example")]);
        let jobs: Vec<_> = (0..3).map(|_| schedule.take(seconds(0)).unwrap()).collect();
        assert_eq!(schedule.record(&jobs[0], Ok(vec![A]), seconds(0)), Some(A));
        schedule.replace(names(&[("u1", "one.example"), ("u2", "other.example")]), seconds(10));
        assert_eq!(schedule.record(&jobs[1], Ok(vec![A]), seconds(10)), None, "that was its former name");
        assert_eq!(schedule.record(&jobs[2], Ok(vec![A]), seconds(10)), None, "it is gone");
        let job = schedule.take(seconds(10)).unwrap();
        assert_eq!(job.host, "other.example");
        assert_eq!(schedule.record(&job, Ok(vec![B]), seconds(10)), Some(B));
        assert_eq!(schedule.next_due(), Some(seconds(300)), "u1 keeps its turn");
        schedule.replace(names(&[("u1", "one.example"), ("u1", "one.example")]), seconds(20));
        assert_eq!((schedule.devices.len(), schedule.due.len()), (1, 1));
        schedule.replace(Vec::new(), seconds(30));
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn each_failure_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let mut schedule = schedule(&[("u1", "u1.example")]);
            for _ in 0..3 {
                let due = schedule.next_due().unwrap();
                let job = schedule.take(due).unwrap();
                schedule.record(&job, failure(), due);
            }
        });
        let metrics = recorder.handle().render();
        assert!(metrics.contains("ntuwatch_resolve_failures_total 3"), "{metrics}");
    }

    fn running(rhythm: Rhythm, lookup: Lookup) -> (Resolver, Receiver<(String, IpAddr)>) {
        let (sender, reports) = mpsc::channel();
        // The last report may come when the test is over.
        let report = Box::new(move |device: &str, _: &str, address| {
            drop(sender.send((device.to_owned(), address)));
            true
        });
        (start_with(lookup, rhythm, report).unwrap(), reports)
    }

    #[test]
    fn the_system_knows_localhost() {
        let (resolver, reports) = running(RHYTHM, Box::new(ask_system));
        resolver.watch(names(&[("u1", "localhost")]));
        let (device, address) = reports.recv_timeout(LONG).unwrap();
        assert_eq!(device, "u1");
        assert!(address.is_loopback());
    }

    #[test]
    fn an_address_that_there_was_no_room_for_is_reported_again() {
        let (sender, offers) = mpsc::channel();
        let report: Report = Box::new(move |_, host, address| {
            drop(sender.send((host.to_owned(), address)));
            address == B
        });
        let count = AtomicUsize::new(0);
        let lookup = move |_: &str| Ok(vec![if count.fetch_add(1, Ordering::SeqCst) == 0 { A } else { B }]);
        let resolver = start_with(Box::new(lookup), RHYTHM, report).unwrap();
        resolver.watch(names(&[("u1", "u1.example")]));
        assert_eq!(offers.recv_timeout(LONG).unwrap(), ("u1.example".to_owned(), A), "refused");
        assert_eq!(offers.recv_timeout(LONG).unwrap().1, B, "taken");
        assert!(offers.recv_timeout(3 * OFFER_AGAIN / 2).is_err());
    }

    #[test]
    fn slow_names_do_not_hold_up_the_others_and_no_more_are_asked_at_once_than_allowed() {
        let together = Barrier::new(MAX_LOOKUPS);
        let (asked, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let lookup = move |_: &str| {
            seen.fetch_max(asked.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            asked.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![A])
        };
        let (resolver, reports) = running(RHYTHM, Box::new(lookup));
        let list = (0..3 * MAX_LOOKUPS).map(|n| (format!("u{n}"), "u.example".to_owned())).collect();
        resolver.watch(list);
        let mut devices: Vec<_> = (0..3 * MAX_LOOKUPS).map(|_| reports.recv_timeout(LONG).unwrap().0).collect();
        devices.sort();
        devices.dedup();
        assert_eq!(devices.len(), 3 * MAX_LOOKUPS);
        assert_eq!(most.load(Ordering::SeqCst), MAX_LOOKUPS);
    }

    #[test]
    fn names_are_looked_up_again_and_again_until_the_resolver_is_dropped() {
        let count = AtomicUsize::new(0);
        let lookup = move |_: &str| match count.fetch_add(1, Ordering::SeqCst) {
            0 => failure(),
            n if n % 2 == 0 => Ok(vec![A]),
            _ => Ok(vec![B]),
        };
        let (resolver, reports) = running(RESTLESS, Box::new(lookup));
        resolver.watch(names(&[("u1", "u1.example")]));
        let addresses: Vec<_> = (0..4).map(|_| reports.recv_timeout(LONG).unwrap().1).collect();
        assert_eq!(addresses, [B, A, B, A]);
        drop(resolver);
        // Ends when the last thread has let go of the sender.
        reports.iter().for_each(drop);
    }
}
