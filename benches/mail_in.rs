//! 10,000 incoming messages read: ours beside mail-parser's own reading of the whole, in the same run.
//!
//!     cargo bench --bench mail_in -- 10000

#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use mail_parser::MessageParser;
use ntuwatch::clock::Stopwatch;
use ntuwatch::engine::mail_in::{Us, read};
use std::hint::black_box;
use std::process::ExitCode;
use table::Table;

const MESSAGES: u32 = 10_000;

fn main() -> ExitCode {
    let messages = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(MESSAGES);
    let us = Us {
        addresses: vec!["noc@example.net".to_owned()],
        authserv_id: Some("mx.example.net".to_owned()),
        domain: "example.net".to_owned(),
    };
    let mut table = Table::new(&["message", "bytes", "us each", "mail-parser, us each", "times mail-parser"]);
    for (name, raw) in [
        ("reply, plain", plain()),
        ("reply, HTML beside", both()),
        ("delivery report", report()),
        ("1 MB attached", attached()),
    ] {
        let ours = timed(messages, || drop(black_box(read(black_box(&raw), &us))));
        let theirs = timed(messages, || drop(black_box(MessageParser::default().parse(black_box(&raw)))));
        let each = |took: Duration| took.as_secs_f64() * 1e6 / f64::from(messages);
        let row = [
            raw.len().to_string(),
            format!("{:.1}", each(ours)),
            format!("{:.1}", each(theirs)),
            format!("{:.2}", each(ours) / each(theirs)),
        ];
        table.row(name, row.to_vec());
    }
    table.print();
    ExitCode::SUCCESS
}

fn timed(times: u32, mut work: impl FnMut()) -> Duration {
    let clock = Stopwatch::start();
    (0..times).for_each(|_| work());
    clock.elapsed()
}

fn head(kind: &str) -> String {
    format!(
        "Return-Path: <it@acme.example>\r\nReceived: from mail.acme.example by mx.example.net; Fri, 1 May 2026 10:00:00 +0000\r\n\
         Authentication-Results: mx.example.net; dkim=pass; dmarc=pass header.from=acme.example\r\n\
         From: IT <it@acme.example>\r\nTo: NOC <noc@example.net>\r\nSubject: =?utf-8?Q?Re:_St=C3=B6rung?=\r\n\
         Message-ID: <1@acme.example>\r\nIn-Reply-To: <2@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n"
    )
}

fn words() -> String {
    let said = "The line is still down, we rebooted the router twice.\r\n".repeat(10);
    let quoted = "> Your line acme-lon-1 has been down since 10:42 UTC.\r\n".repeat(20);
    format!("{said}\r\nOn Fri, 1 May 2026, NOC wrote:\r\n{quoted}")
}

fn plain() -> Vec<u8> {
    format!("{}{}", head("text/plain; charset=utf-8"), words()).into_bytes()
}

fn both() -> Vec<u8> {
    let (words, page) = (words(), "<div>The line is <b>still</b> down.</div>\r\n".repeat(100));
    let head = head("multipart/alternative; boundary=b");
    format!("{head}--b\r\nContent-Type: text/plain\r\n\r\n{words}\r\n--b\r\nContent-Type: text/html\r\n\r\n{page}\r\n--b--\r\n").into_bytes()
}

fn report() -> Vec<u8> {
    let head = head("multipart/report; report-type=delivery-status; boundary=b");
    format!(
        "{head}--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; it@acme.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         Message-ID: <2@example.net>\r\n\r\n{}\r\n--b--\r\n",
        words()
    )
    .into_bytes()
}

fn attached() -> Vec<u8> {
    let head = head("multipart/mixed; boundary=b");
    let file = format!("{}\r\n", "QUJD".repeat(19)).repeat((1 << 20) / 78);
    format!("{head}--b\r\n\r\n{}\r\n--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}--b--\r\n", words())
        .into_bytes()
}
