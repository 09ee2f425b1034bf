//! The SNMP engine against agents that answer oddly, or with a will to confuse.
//!
//! Whatever authentic answer there is shows that the agent is alive; everything else is as if it had not come. Either way the next
//! exchange is a normal one.

use crate::ber::{
    COUNTER, Get, NULL, OCTETS, REPORT, RESPONSE, SEQUENCE, bound, community_answer, community_get, get, integer, pdu,
    seq, tlv, values,
};
use crate::snmp::{Bench, is_answered, peer, probe, secret, v2c, v3};
use ntuwatch::domain::watch::{Outcome, Probe, SnmpVersion};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TOO_BIG: i32 = 1;
const NO_SUCH_NAME: i32 = 2;
const GEN_ERR: i32 = 5;

/// sysUpTime.0
const UPTIME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 3, 0];
/// ifOperStatus of the loopback interface
const STATUS: &[u8] = &[0x2b, 6, 1, 2, 1, 2, 2, 1, 8, 1];

/// A counter that an agent's thread and a test share.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    /// Counts one, and says how many there were before.
    fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// What was counted since this was last asked.
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// A refusal of the whole question.
fn refuse(request: &[u8], status: i32) -> Vec<u8> {
    community_answer(request, pdu(RESPONSE, community_get(request).request_id, status, 0, &[]))
}

/// Each object has the value `number`.
fn numbered(request: &[u8], number: i32) -> Vec<u8> {
    let Get { request_id, objects } = community_get(request);
    bind(request, request_id, &objects, number)
}

/// A response that binds `objects`, asked for or not.
fn bind(request: &[u8], request_id: Vec<u8>, objects: &[Vec<u8>], number: i32) -> Vec<u8> {
    let bindings: Vec<_> = objects.iter().map(|object| bound(object, integer(number))).collect();
    community_answer(request, pdu(RESPONSE, request_id, 0, 0, &bindings))
}

/// A peer that answers each request with one message.
fn agent(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> u16 {
    peer(move |socket, request, from| {
        socket.send_to(&answer(request), from).expect("an answer");
    })
}

fn patient(port: u16, version: SnmpVersion) -> Probe {
    Probe { timeout: Duration::from_secs(30), ..probe(1, port, version) }
}

fn v1() -> SnmpVersion {
    SnmpVersion::V1 { community: secret("public") }
}

#[test]
fn an_agent_with_little_room_is_asked_for_less() {
    let exchanges = Count::default();
    let counter = exchanges.clone();
    let port = agent(move |request| {
        counter.up();
        if community_get(request).objects.len() > 2 { refuse(request, TOO_BIG) } else { numbered(request, 1) }
    });
    let bench = Bench::new();
    let in_parts = bench.ask(patient(port, v2c("public")));
    assert!(
        matches!(&in_parts, Outcome::Answered { sample: Some(all), .. } if all.in_octets == Some(1)),
        "{in_parts:?}"
    );
    assert!(exchanges.take() > 1);
    let Outcome::Answered { sample: Some(little), .. } = bench.ask(patient(port, v2c("public"))) else { panic!() };
    assert_eq!((little.uptime_cs, little.oper_status, little.in_octets), (Some(1), Some(1), None));
    assert_eq!(exchanges.take(), 1);
}

#[test]
fn an_agent_that_finds_everything_too_big_is_alive() {
    let exchanges = Count::default();
    let counter = exchanges.clone();
    let port = agent(move |request| {
        counter.up();
        refuse(request, TOO_BIG)
    });
    let bench = Bench::new();
    for smaller in [true, true, false, false] {
        let outcome = bench.ask(patient(port, v2c("public")));
        let as_expected = if smaller {
            matches!(outcome, Outcome::Answered { sample: None, .. })
        } else {
            matches!(outcome, Outcome::Rejected { why: "tooBig", .. }) && exchanges.take() == 1
        };
        assert!(as_expected, "{outcome:?}");
        assert!(exchanges.take() <= 4, "halves, to the first object");
    }
}

#[test]
fn one_that_says_too_big_and_then_nothing_has_shown_that_it_is_alive() {
    let requests = Count::default();
    let port = peer(move |socket, request, from| {
        let answer = match requests.up() {
            0 => refuse(request, TOO_BIG),
            1 => return,
            _ => numbered(request, 1),
        };
        socket.send_to(&answer, from).expect("an answer");
    });
    let bench = Bench::new();
    let outcome = bench.ask(Probe { timeout: Duration::from_secs(2), ..probe(1, port, v2c("public")) });
    assert!(matches!(outcome, Outcome::Answered { sample: None, .. }), "{outcome:?}");
    let Outcome::Answered { sample: Some(next), .. } = bench.ask(patient(port, v2c("public"))) else { panic!() };
    assert_eq!((next.oper_status, next.in_octets), (Some(1), None));
}

#[test]
fn an_snmpv1_agent_that_lacks_the_counters_tells_the_state() {
    let port = agent(|request| {
        let known = |object: &Vec<u8>| object == UPTIME || object == STATUS;
        let all_known = community_get(request).objects.iter().all(known);
        if all_known { numbered(request, 2) } else { refuse(request, NO_SUCH_NAME) }
    });
    let bench = Bench::new();
    let first = bench.ask(patient(port, v1()));
    assert!(matches!(first, Outcome::Answered { sample: None, .. }), "{first:?}");
    let Outcome::Answered { sample: Some(next), .. } = bench.ask(patient(port, v1())) else { panic!() };
    assert_eq!((next.uptime_cs, next.oper_status), (Some(2), Some(2)));
}

#[test]
fn an_agent_that_fails_on_one_object_is_alive_and_asked_for_less() {
    let port =
        agent(
            |request| {
                if community_get(request).objects.len() > 2 { refuse(request, GEN_ERR) } else { numbered(request, 1) }
            },
        );
    let bench = Bench::new();
    let first = bench.ask(patient(port, v2c("public")));
    assert!(matches!(first, Outcome::Rejected { why: "genErr", .. }), "{first:?}");
    assert!(is_answered(&bench.ask(patient(port, v2c("public")))));
}

#[test]
fn an_answer_to_another_question_shows_life_and_nothing_else() {
    type Odd = fn(&[u8]) -> Vec<u8>;
    let nothing: Odd = |request| bind(request, community_get(request).request_id, &[], 9);
    let other_objects: Odd = |request| {
        let Get { request_id, mut objects } = community_get(request);
        // each moves on to the row after
        objects.iter_mut().for_each(|object| *object.last_mut().expect("an arc") += 1);
        bind(request, request_id, &objects, 9)
    };
    let the_same_again: Odd = |request| {
        let Get { request_id, objects } = community_get(request);
        bind(request, request_id, &vec![[&objects[1][..], &[0]].concat(); 50], 9)
    };
    let of_no_type: Odd = |request| {
        let Get { request_id, objects } = community_get(request);
        let bindings: Vec<_> = objects.iter().map(|object| bound(object, tlv(NULL, &[]))).collect();
        community_answer(request, pdu(RESPONSE, request_id, 0, 0, &bindings))
    };
    let below_zero: Odd = |request| numbered(request, -1);
    let bench = Bench::new();
    for odd in [nothing, other_objects, the_same_again, of_no_type, below_zero] {
        let requests = Count::default();
        let port = agent(move |request| if requests.up() == 0 { odd(request) } else { numbered(request, 3) });
        for version in [v2c("public"), v1()] {
            let outcome = bench.ask(patient(port, version.clone()));
            let first = version == v2c("public");
            assert!(matches!(&outcome, Outcome::Answered { sample, .. } if sample.is_none() == first), "{outcome:?}");
        }
        let Outcome::Answered { sample: Some(sample), .. } = bench.ask(patient(port, v1())) else { panic!() };
        assert_eq!(sample.uptime_cs, Some(3));
    }
}

#[test]
fn an_answer_from_elsewhere_or_to_someone_else_keeps_nobody_from_his_own() {
    let port = peer(|socket, request, from| {
        let elsewhere = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        elsewhere.send_to(&numbered(request, 66), from).expect("an answer");
        let objects = community_get(request).objects;
        for request_id in 0..100 {
            let foreign = bind(request, integer(request_id), &objects, 66);
            socket.send_to(&foreign, from).expect("an answer");
        }
        socket.send_to(&numbered(request, 3), from).expect("an answer");
    });
    let bench = Bench::new();
    for _ in 0..3 {
        let Outcome::Answered { sample: Some(sample), .. } = bench.ask(patient(port, v2c("public"))) else { panic!() };
        assert_eq!((sample.uptime_cs, sample.oper_status), (Some(3), Some(3)));
    }
}

/// How an SNMPv3 agent without security answers that was started `boots` times: with a report on usmStats `.trouble.0`, if there is
/// one, otherwise as it should.
fn v3_answer(request: &[u8], boots: i32, trouble: Option<u8>) -> Vec<u8> {
    const ENGINE: &[u8] = b"\x80\x00\x1f\x88\x04odd";
    let message = values(values(request)[0].1);
    let message_id = values(message[1].1)[0].1;
    let user = values(values(message[2].1)[0].1)[3].1;
    let scoped = values(message[3].1);
    let Get { request_id, objects } = get(scoped[2].1);
    let (user, pdu) = match trouble {
        Some(trouble) => {
            let object = [0x2b, 6, 1, 6, 3, 15, 1, 1, trouble, 0];
            (user, pdu(REPORT, request_id, 0, 0, &[bound(&object, tlv(COUNTER, &[1]))]))
        }
        None => {
            let bindings: Vec<_> = objects.iter().map(|object| bound(object, integer(boots))).collect();
            (user, pdu(RESPONSE, request_id, 0, 0, &bindings))
        }
    };
    let header = [tlv(0x02, message_id), integer(65_507), tlv(OCTETS, &[0]), integer(3)];
    let security =
        [tlv(OCTETS, ENGINE), integer(boots), integer(1), tlv(OCTETS, user), tlv(OCTETS, &[]), tlv(OCTETS, &[])];
    let security = tlv(OCTETS, &seq(SEQUENCE, &security));
    let scoped = seq(SEQUENCE, &[tlv(OCTETS, ENGINE), tlv(OCTETS, &[]), pdu]);
    seq(SEQUENCE, &[integer(3), seq(SEQUENCE, &header), security, scoped])
}

/// Whether an SNMPv3 request asks for the engine's name only.
fn is_discovery(request: &[u8]) -> bool {
    let message = values(values(request)[0].1);
    values(values(message[2].1)[0].1)[0].1.is_empty()
}

#[test]
fn an_snmpv3_agent_whose_clock_is_never_right_is_alive_and_found_again() {
    const NOT_IN_TIME_WINDOW: u8 = 2;
    const UNKNOWN_ENGINE: u8 = 4;
    const WRONG: usize = 6;
    let (exchanges, questions) = (Count::default(), Count::default());
    let counter = exchanges.clone();
    let port = agent(move |request| {
        counter.up();
        if is_discovery(request) {
            return v3_answer(request, 7, Some(UNKNOWN_ENGINE));
        }
        // it starts anew from no boots at all
        if questions.up() < WRONG {
            v3_answer(request, 7, Some(NOT_IN_TIME_WINDOW))
        } else {
            v3_answer(request, 0, None)
        }
    });
    let bench = Bench::new();
    let probe = patient(port, v3("plain", None, None));
    let mut rejected = 0;
    let sample = loop {
        match bench.ask(probe.clone()) {
            Outcome::Rejected { why, .. } => assert_eq!(why, "not in time window"),
            Outcome::Answered { sample, .. } => break sample.expect("a sample"),
            other @ (Outcome::Lost { .. } | Outcome::NotSent { .. }) => panic!("{other:?}"),
        }
        assert!((1..=4).contains(&exchanges.take()), "the engine's name, and the question a time or two");
        rejected += 1;
        assert!(rejected <= WRONG);
    };
    assert!(rejected > 0);
    assert_eq!((sample.uptime_cs, sample.engine_boots), (Some(0), Some(0)));
    exchanges.take();
    assert!(is_answered(&bench.ask(probe)));
    assert_eq!(exchanges.take(), 1);
}
