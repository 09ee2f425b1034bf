//! What the error status of a response says (RFC 1157, RFC 3416).

/// Nothing is wrong.
pub(super) const NO_ERROR: i32 = 0;
/// The answer does not fit into a message.
pub(super) const TOO_BIG: i32 = 1;
/// An SNMPv1 agent lacks one of the objects.
pub(super) const NO_SUCH_NAME: i32 = 2;

/// The name of a status: of those that can come of a get.
pub(super) const fn name(status: i32) -> &'static str {
    match status {
        TOO_BIG => "tooBig",
        NO_SUCH_NAME => "noSuchName",
        5 => "genErr",
        6 => "noAccess",
        16 => "authorizationError",
        _ => "error status",
    }
}
