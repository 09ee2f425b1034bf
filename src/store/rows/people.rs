//! Customers' people: what staff have changed, letters that were passed on, and customers whom none reaches.

use super::misfit;
use crate::domain::desk::{LetterMark, OutOfReach, PASSED_ON_REMEMBERED, PassedOn, PeopleChange, SavedPeople};
use crate::domain::party::{Channel, Contact, ContactChange, ContactOrigin, ContactRole};
use crate::domain::time::Time;
use rusqlite::{Connection, Result, Row, params};

/// Writes what changed, in its order.
pub(in crate::store) fn put_people(db: &Connection, changes: &[PeopleChange], at: Time) -> Result<()> {
    for change in changes {
        match change {
            PeopleChange::Contact(change) => put_contact(db, change, at)?,
            PeopleChange::PassedOn(PassedOn { letter, original, mark, at, .. }) => {
                let put = "INSERT INTO passed_on (letter, original, kind, number, at) VALUES (?1, ?2, ?3, ?4, ?5)";
                db.prepare_cached(put)?.execute(params![letter, original, mark.kind, mark.number, at])?;
            }
            PeopleChange::OutOfReach(customer, OutOfReach { since, address }) => {
                let put = "INSERT INTO out_of_reach (customer, since, address) VALUES (?1, ?2, ?3)";
                db.prepare_cached(put)?.execute(params![customer, since, address])?;
            }
            PeopleChange::InReach(customer) => {
                let put = "UPDATE out_of_reach SET until = ?2 WHERE customer = ?1 AND until IS NULL";
                db.prepare_cached(put)?.execute(params![customer, at])?;
            }
        }
    }
    Ok(())
}

fn put_contact(db: &Connection, ContactChange { contact, removed }: &ContactChange, now: Time) -> Result<()> {
    let (by, at) = match &contact.origin {
        ContactOrigin::Staff { by, at } => (by.as_str(), *at),
        ContactOrigin::Inventory => ("", now),
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO contact_changes \
         (id, customer, name, email, phone, address, role, prefers, letters, removed, by, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        contact.id,
        contact.customer,
        contact.name,
        contact.email,
        contact.phone,
        contact.address,
        contact.role.name(),
        contact.prefers.name(),
        contact.letters,
        removed,
        by,
        at,
    ])?;
    Ok(())
}

/// All of it, but for what was passed on long before `now`.
pub(in crate::store) fn people(db: &Connection, now: Option<Time>) -> Result<SavedPeople> {
    let passed_on = "SELECT p.letter, p.original, l.thread_key, p.kind, p.number, l.recipient, p.at FROM passed_on AS p \
         JOIN letters AS l ON l.id = p.letter WHERE p.at > ?1 ORDER BY p.letter";
    let out_of_reach = "SELECT customer, since, address FROM out_of_reach WHERE until IS NULL";
    Ok(SavedPeople {
        changes: db
            .prepare("SELECT * FROM contact_changes ORDER BY id")?
            .query_map([], contact_change)?
            .collect::<Result<_>>()?,
        passed_on: db
            .prepare(passed_on)?
            .query_map([now.map(|now| now - PASSED_ON_REMEMBERED)], |row| {
                Ok(PassedOn {
                    letter: row.get(0)?,
                    original: row.get(1)?,
                    thread: row.get(2)?,
                    mark: LetterMark { kind: row.get(3)?, number: row.get(4)? },
                    to: row.get(5)?,
                    at: row.get(6)?,
                })
            })?
            .collect::<Result<_>>()?,
        out_of_reach: db
            .prepare(out_of_reach)?
            .query_map([], |row| Ok((row.get(0)?, OutOfReach { since: row.get(1)?, address: row.get(2)? })))?
            .collect::<Result<_>>()?,
    })
}

fn contact_change(row: &Row<'_>) -> Result<ContactChange> {
    let word = |column: &str| row.get::<_, String>(column);
    let (role, prefers) = (word("role")?, word("prefers")?);
    let contact = Contact {
        id: row.get("id")?,
        customer: row.get("customer")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        address: row.get("address")?,
        role: ContactRole::ALL.into_iter().find(|known| known.name() == role).ok_or_else(|| misfit(&role, "role"))?,
        prefers: Channel::ALL
            .into_iter()
            .find(|known| known.name() == prefers)
            .ok_or_else(|| misfit(&prefers, "prefers"))?,
        letters: row.get("letters")?,
        origin: ContactOrigin::Staff { by: row.get("by")?, at: row.get("at")? },
    };
    Ok(ContactChange { contact, removed: row.get("removed")? })
}
