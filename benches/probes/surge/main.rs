//! Asks by ICMP with surge-ping: `surge RATE TARGETS SECONDS` sends so many echoes a second to addresses from 127.1.0.1 on, and
//! prints how many it sent and how many were answered. A task a probe, on one thread.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use surge_ping::{Client, Config, PingIdentifier, PingSequence};

const TICK: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_secs(1);

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().expect("a number")).collect();
    let [rate, targets, seconds] = numbers[..] else { panic!("usage: surge RATE TARGETS SECONDS") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(ask(rate, targets, Duration::from_secs(seconds)));
}

async fn ask(rate: u64, targets: u64, lasting: Duration) {
    let client = Client::new(&Config::default()).expect("root may open a socket");
    let answered = Arc::new(AtomicU64::new(0));
    let (mut sent, started) = (0_u64, Instant::now());
    while started.elapsed() < lasting {
        let due = started.elapsed().as_micros() as u64 * rate / 1_000_000;
        while sent < due {
            let to = u32::from(Ipv4Addr::new(127, 1, 0, 1)) + (sent % targets) as u32;
            let mut pinger = client.pinger(IpAddr::V4(Ipv4Addr::from(to)), PingIdentifier(1)).await;
            pinger.timeout(TIMEOUT);
            let (round, answered) = ((sent / targets) as u16, Arc::clone(&answered));
            tokio::spawn(async move {
                if pinger.ping(PingSequence(round), &[0; 16]).await.is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
            sent += 1;
        }
        tokio::time::sleep(TICK).await;
    }
    tokio::time::sleep(TIMEOUT).await;
    println!("{sent} {}", answered.load(Ordering::Relaxed));
}
