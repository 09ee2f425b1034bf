//! Counts in words.

/// So many of them, as people say it: "no units", "1 unit", "2 units".
#[must_use]
pub fn many(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2].map(|count| many(count, "line")), ["no lines", "1 line", "2 lines"]);
    }
}
