//! The mail engine against files, and against mail servers of every temper.

mod composing;
mod encrypting;
mod files;
mod relaying;
mod server;
#[path = "../../../../tests/common/tls.rs"]
mod tls;

use super::{MAX_CONNECTIONS, MailEngine, Route, Settings, Tls, start_with};
use crate::domain::letter::{Delivery, LetterId, Mail};
use crate::engine::mail_out::relay::Patience;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Long enough for a busy machine, short enough for a test that waits it out.
const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(60);

const PATIENT: Patience = Patience { connect: LONG, command: LONG, data_end: LONG };

/// An engine and what it reported.
struct Bench {
    engine: MailEngine,
    reports: Receiver<(LetterId, Delivery)>,
}

impl Bench {
    fn new(route: Route, patience: Patience) -> Self {
        let settings =
            Settings { from_name: Some("NOC London".to_owned()), from_address: "noc@example.net".to_owned(), route };
        let (sender, reports) = mpsc::channel();
        let report = Box::new(move |id, delivery| sender.send((id, delivery)).expect("somebody listens"));
        let Ok(engine) = start_with(settings, patience, report) else { panic!("the engine starts") };
        Self { engine, reports }
    }

    fn smtp(port: u16, tls: Tls, patience: Patience) -> Self {
        Self::new(
            Route::Smtp { host: "127.0.0.1".to_owned(), port, tls, credentials: None, connections: MAX_CONNECTIONS },
            patience,
        )
    }

    /// What becomes of one more letter.
    fn deliver(&self, mail: Mail) -> Delivery {
        let id = mail.id;
        self.engine.send(mail).expect("room");
        let (reported, delivery) = self.reports.recv_timeout(LONG).expect("a report");
        assert_eq!(reported, id);
        delivery
    }

    /// Lets the engine finish; all that was not yet taken note of.
    fn finish(self) -> Vec<(LetterId, Delivery)> {
        drop(self.engine);
        self.reports.iter().collect()
    }
}

fn letter(id: LetterId) -> Mail {
    Mail {
        id,
        to: "it@acme.example".to_owned(),
        message_id: format!("NT-{id}.opened.1.00ff@example.net"),
        in_reply_to: None,
        references: Vec::new(),
        reply_to: None,
        subject: "[NT-1] Service down: acme-lon-1".to_owned(),
        body: "Dear Acme,\n\nthe line is down.\n.\n.hidden\n-- \nNOC\n".to_owned(),
        written_unix_ms: 1_700_000_000_000,
    }
}

/// The words of a delivery that failed in the expected way.
macro_rules! why {
    ($delivery:expr, $way:ident) => {
        match $delivery {
            Delivery::$way(why) => why,
            other => panic!("expected {}, not {other:?}", stringify!($way)),
        }
    };
}
use why;
