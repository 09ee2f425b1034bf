//! SNMP with async-snmp as its documentation shows it, a client an agent and a task a probe, on one thread.
//!
//! `plain ask VERSION RATE TARGETS SECONDS ANSWERER…` starts the answerer, asks addresses from 127.1.0.1 on so often a second for
//! eight objects, by version 2c or 3 (authPriv, SHA-256 and AES-128), and prints how many it sent, how many were answered and what
//! CPU time that took in microseconds: of asking alone, for all agents' engines have been looked up before. `plain answer` is an
//! agent of version 3 on all loopback addresses.

use async_snmp::agent::Agent;
use async_snmp::handler::{BoxFuture, GetNextResult, GetResult, HandlerResult, MibHandler, RequestContext};
use async_snmp::v3::AuthoritativeEngine;
use async_snmp::{
    Auth, AuthProtocol, Client, MasterKeys, Oid, PrivProtocol, Retry, UdpHandle, UdpTransport, UsmConfig, Value, oid,
};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PORT: u16 = 16_161;
const COMMUNITY: &str = "public";
const USER: &str = "bench";
const AUTH_PASSWORD: &[u8] = b"correct horse";
const PRIVACY_PASSWORD: &[u8] = b"battery staple";

const TICK: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_secs(1);
/// Agents a second that are looked up beforehand.
const LOOKED_UP: u64 = 2_000;
/// Kernel ticks a second, in which /proc counts CPU time.
const TICKS: u64 = 100;

type Clients = Vec<Arc<Client<UdpHandle>>>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match words[..] {
        ["answer"] => runtime.block_on(answer()),
        ["ask", version, rate, targets, seconds, answerer, ref rest @ ..] => {
            let [rate, targets, seconds] = [rate, targets, seconds].map(|text| text.parse().expect("a number"));
            let mut answerer = Command::new(answerer).args(rest).spawn().expect("the answerer can be started");
            runtime.block_on(ask(version, rate, targets, Duration::from_secs(seconds)));
            answerer.kill().and_then(|()| answerer.wait()).expect("it can be ended");
        }
        _ => panic!("usage: plain ask VERSION RATE TARGETS SECONDS ANSWERER… | plain answer"),
    }
}

/// What ntuwatch asks, in its order: sysUpTime, and ifOperStatus, errors, octets and packets of interface 1.
fn objects() -> [(Oid, Value); 8] {
    [
        (oid!(1, 3, 6, 1, 2, 1, 1, 3, 0), Value::TimeTicks(864_000_000)),
        (oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1), Value::Integer(1)),
        (oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 14, 1), Value::Counter32(0)),
        (oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 20, 1), Value::Counter32(0)),
        (oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1), Value::Counter64(1 << 40)),
        (oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10, 1), Value::Counter64(1 << 40)),
        (oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7, 1), Value::Counter64(1 << 32)),
        (oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 11, 1), Value::Counter64(1 << 32)),
    ]
}

async fn ask(version: &str, rate: u64, targets: u64, lasting: Duration) {
    let transport = UdpTransport::bind("0.0.0.0:0").await.expect("a socket");
    let auth = auth(version);
    let mut clients = Clients::new();
    // Only so many are asked at all.
    for target in 0..targets.min(rate * lasting.as_secs()) {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + target as u32);
        let builder = Client::builder((address.to_string(), PORT), auth.clone());
        let client = builder.request_timeout(TIMEOUT).retry(Retry::none()).build_with(&transport).await;
        clients.push(Arc::new(client.expect("a client")));
    }
    let objects: Arc<[Oid]> = objects().map(|(name, _)| name).into();
    // The answerer may still be starting.
    while clients[0].get_many(&objects).await.is_err() {
        tokio::time::sleep(TICK).await;
    }
    let once = Duration::from_millis(clients.len() as u64 * 1_000 / LOOKED_UP);
    run(&clients, &objects, LOOKED_UP, once).await;
    let before = cpu();
    let (sent, answered) = run(&clients, &objects, rate, lasting).await;
    println!("{sent} {answered} {} 0 0", (cpu() - before).as_micros());
}

fn auth(version: &str) -> Auth {
    if version == "2c" {
        return Auth::v2c(COMMUNITY);
    }
    let keys = MasterKeys::new(AuthProtocol::Sha256, AUTH_PASSWORD).expect("a password");
    let keys = keys.with_privacy(PrivProtocol::Aes128, PRIVACY_PASSWORD).expect("a password");
    UsmConfig::new(USER).with_master_keys(keys).expect("a user").into()
}

/// How many were sent and answered.
async fn run(clients: &Clients, objects: &Arc<[Oid]>, rate: u64, lasting: Duration) -> (u64, u64) {
    let answered = Arc::new(AtomicU64::new(0));
    let (mut sent, started) = (0_u64, Instant::now());
    while started.elapsed() < lasting {
        let due = started.elapsed().as_micros() as u64 * rate / 1_000_000;
        while sent < due {
            let client = Arc::clone(&clients[sent as usize % clients.len()]);
            let (objects, answered) = (Arc::clone(objects), Arc::clone(&answered));
            tokio::spawn(async move {
                if client.get_many(&objects).await.is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
            sent += 1;
        }
        tokio::time::sleep(TICK).await;
    }
    tokio::time::sleep(TIMEOUT).await;
    (sent, answered.load(Ordering::Relaxed))
}

/// CPU time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    // The state is the first field after the name, utime and stime the 12th and 13th.
    let (_, fields) = stat.rsplit_once(") ").expect("the kernel keeps its format");
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}

async fn answer() {
    let engine = AuthoritativeEngine::install(b"\x80\x00\x1f\x88\x04bench".to_vec(), |_| Ok::<(), Infallible>(()));
    let user = |user: async_snmp::UsmUser| {
        user.auth_priv(AuthProtocol::Sha256, AUTH_PASSWORD, PrivProtocol::Aes128, PRIVACY_PASSWORD)
    };
    let agent = Agent::builder()
        .bind(format!("0.0.0.0:{PORT}"))
        .authoritative_engine(engine.expect("an engine"))
        .usm_user(USER, user)
        .expect("a user")
        .handler(oid!(1, 3, 6, 1, 2, 1), Arc::new(Told))
        .allow_all_access()
        .build()
        .await
        .expect("an agent");
    agent.run().await.expect("it goes on for ever");
}

/// Tells each of the objects.
struct Told;

impl MibHandler for Told {
    fn get<'a>(&'a self, _: &'a RequestContext, wanted: &'a Oid) -> BoxFuture<'a, HandlerResult<GetResult>> {
        let found = objects().into_iter().find(|(name, _)| name == wanted);
        Box::pin(async move { Ok(found.map_or(GetResult::NoSuchObject, |(_, value)| GetResult::Value(value))) })
    }

    fn get_next<'a>(&'a self, _: &'a RequestContext, _: &'a Oid) -> BoxFuture<'a, HandlerResult<GetNextResult>> {
        Box::pin(async { Ok(GetNextResult::EndOfMibView) })
    }
}
