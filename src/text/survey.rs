//! Surveys: the link in a letter.

use super::stamp::Stamp;
use super::time::utc;
use crate::domain::desk::Invitation;
use crate::domain::time::Calendar;

/// What a letter says of its survey.
pub(super) fn invitation(invitation: &Invitation, stamp: &Stamp, calendar: &Calendar) -> String {
    format!(
        "\nHow did we do? One question, and room for a remark:\n\n  {}/survey/{}\n\nThe link can be used once, until {}.\n",
        invitation.rules.base_url,
        stamp.survey_token(invitation.case),
        utc(invitation.until, calendar)
    )
}
