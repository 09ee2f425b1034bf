//! Messages that came in.

use crate::domain::desk::{Reference, SavedMailRoom, Tenant, Unreachable, Witnesses};
use crate::domain::mail::{Attachment, KnownCase, MailId, Message, Nature};
use crate::store::mails::MailRow;
use rusqlite::{Connection, Result, Row, params};

const REPORT: &str = "report";

/// What a message says, and what spoke for it.
pub(in crate::store) fn put_message(
    db: &Connection,
    id: MailId,
    message: &Message,
    witnesses: &Witnesses,
) -> Result<()> {
    let nature = match &message.nature {
        Nature::Person => "person",
        Nature::Automatic(automatic) => automatic.name(),
        Nature::Report(_) => REPORT,
        Nature::Own => "own",
    };
    let tenant = match &witnesses.tenant {
        Tenant::Customer(customer) => format!("customer:{customer}"),
        Tenant::Staff => "staff".to_owned(),
        Tenant::Several => "several".to_owned(),
        Tenant::Stranger => "stranger".to_owned(),
    };
    db.prepare_cached(
        "UPDATE mails SET sender = ?2, message_id = ?3, subject = ?4, body = ?5, nature = ?6, attachments = ?7, \
         letter = ?8, tenant = ?9, authentic = ?10, claim = ?11 WHERE id = ?1",
    )?
    .execute(params![
        id,
        message.from,
        message.message_id,
        message.subject,
        message.text,
        nature,
        attachments(&message.attachments),
        witnesses.letter.as_ref().map(|letter| letter.id),
        tenant,
        witnesses.authentic,
        witnesses.claim.map(|claim: Reference| claim.to_string()),
    ])?;
    Ok(())
}

/// What comes with a message, as a JSON array; nothing if that is nothing.
pub(in crate::store) fn attachments(attachments: &[Attachment]) -> Option<String> {
    let entry = |attachment: &Attachment| {
        serde_json::json!({
            "name": attachment.name, "media_type": attachment.media_type, "size": attachment.size,
        })
    };
    let list: Vec<_> = attachments.iter().map(entry).collect();
    (!list.is_empty()).then(|| serde_json::Value::from(list).to_string())
}

pub(in crate::store) fn mail_row(row: &Row<'_>) -> Result<MailRow> {
    Ok(MailRow {
        id: row.get("id")?,
        received_at: row.get("received_at")?,
        outcome: row.get("outcome")?,
        why: row.get("why")?,
        case: row.get("case_number")?,
        sender: row.get("sender")?,
        message_id: row.get("message_id")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        nature: row.get("nature")?,
        attachments: row.get("attachments")?,
        letter: row.get("letter")?,
        tenant: row.get("tenant")?,
        authentic: row.get("authentic")?,
        claim: row.get("claim")?,
        original: row.get("original")?,
    })
}

pub(in crate::store) fn known_case(row: &Row<'_>) -> Result<KnownCase> {
    let subject = super::case::subject(row.get(3)?, row.get(4)?);
    Ok(KnownCase { reference: row.get(0)?, unit: row.get(1)?, customer: row.get(2)?, subject })
}

/// Messages that wait for people, and addresses that do not work.
pub(in crate::store) fn mail_room(db: &Connection) -> Result<SavedMailRoom> {
    let mut aside = db.prepare_cached("SELECT id FROM mails WHERE outcome = 'quarantined'")?;
    let mut unreachable = db.prepare_cached("SELECT address, since, why FROM unreachable")?;
    Ok(SavedMailRoom {
        aside: aside.query_map([], |row| row.get(0))?.collect::<Result<_>>()?,
        unreachable: unreachable
            .query_map([], |row| Ok((row.get(0)?, Unreachable { since: row.get(1)?, why: row.get(2)? })))?
            .collect::<Result<_>>()?,
    })
}
